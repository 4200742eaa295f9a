/**
 * Programs that look for holes in servers and say who they are, unless they are told not to. Each is the word of its default `User-Agent`; none
 * is part of the name of a browser, a search engine or a library.
 */
export const scanners: readonly string[] = [
  'acunetix',
  'dirbuster',
  'feroxbuster',
  'fuzz faster u fool', // ffuf
  'gobuster',
  'masscan',
  'nessus',
  'netsparker',
  'nikto',
  'nmap scripting engine',
  'nuclei',
  'openvas',
  'sqlmap',
  'wfuzz',
  'wpscan',
  'zgrab',
]
