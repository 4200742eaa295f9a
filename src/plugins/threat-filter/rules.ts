/** One thing to look for. A rule scores once for a request, however often it is met. */
export interface Rule {
  readonly id: string
  /** What it adds; the threshold is 5 by default, which a certain sign reaches alone. */
  readonly score: number
  /** 1: looked for always; 2: only by those who want more found, and more found wrongly. */
  readonly paranoia: 1 | 2
  /**
   * In lower case with single blanks. Texts stand in lines of their own, which no pattern leaves. No repeat without a bound: so each place of a text costs a bounded number of steps, and a text as many
   * as it is long (a test reads the patterns for that).
   */
  readonly pattern: RegExp
  /**
   * Whether the pattern begins with a quote that must be the first, third or fifth of its kind in the text: it ends a quotation that the text
   * did not begin, as where a value breaks out of the quotes that it is put between.
   */
  readonly breaksOut?: boolean
  /** For people. */
  readonly finds: string
}

const path: readonly Rule[] = [
  { id: 'path-up', score: 3, paranoia: 1, pattern: /(?:^|[/\\=])\.\.[/\\]/m, finds: 'a step up: `../`' },
  {
    id: 'path-up-again',
    score: 5,
    paranoia: 1,
    pattern: /\.\.[/\\]{1,4}\.\.(?:[/\\]|$)/m,
    finds: 'several steps up',
  },
  {
    id: 'path-up-masked',
    score: 5,
    paranoia: 1,
    pattern: /\.\.;[/\\]|\.{4}[/\\]{2}|%2e%2e[%/\\]|\xe0\xae\xe0\xae/m,
    finds: 'a step up that is hidden: `..;/`, `....//`, overlong UTF-8',
  },
  {
    id: 'system-file',
    score: 5,
    paranoia: 1,
    pattern:
      /^(?:file:)?[/\\]{0,3}(?:etc[/\\](?:passwd|shadow|hosts|group)|proc[/\\](?:self|version|\d)|windows[/\\](?:win\.ini|system32))|^[a-z]:[/\\](?:windows|boot\.ini)/m,
    finds: 'a file of the system as the whole value',
  },
  {
    id: 'system-file-within',
    score: 3,
    paranoia: 1,
    pattern:
      /[/\\](?:etc[/\\](?:passwd|shadow)|proc[/\\]self[/\\]|\.(?:git[/\\]|ssh[/\\]|aws[/\\]|htpasswd|env\b))/m,
    finds: 'such a file within a text',
  },
  { id: 'null-byte', score: 5, paranoia: 1, pattern: /\0/m, finds: 'a null byte' },
]

const sql: readonly Rule[] = [
  {
    id: 'sql-union',
    score: 5,
    paranoia: 1,
    pattern:
      /\bunion ?(?:all |distinct )?[( ]{0,3}select (?:\d|null|@|['"*(]|[a-z_.]{1,40} ?[,(]|[a-z_.]{1,40} from )/m,
    finds: '`union select` with columns',
  },
  {
    id: 'sql-always-true',
    score: 5,
    paranoia: 1,
    pattern:
      /\b(?:or|and) (?:not )?[( ]{0,3}(?:(\d{1,10}) ?(?:=|like|<=>) ?\1\b|(['"])([^'"\n]{0,20})\2 ?(?:=|like) ?\2\3)|(?:\|\||&&) ?(\d{1,10}) ?= ?\4\b/m,
    finds: 'a condition that is always true: `or 1=1`',
  },
  {
    id: 'sql-condition',
    score: 5,
    paranoia: 1,
    breaksOut: true,
    pattern:
      /['"][) ]{0,3}(?:or|and|xor|\|\||&&) ?(?:not )?['"( ]{0,3}[a-z0-9_.]{0,30}['") ]{0,3}(?:=|<|>|like ['"%]|between \d|is (?:not )?null|in ?\()/m,
    finds: 'a condition behind a quote that ends what the text did not begin',
  },
  {
    id: 'sql-cut',
    score: 5,
    paranoia: 1,
    breaksOut: true,
    pattern: /['"][) ]{0,3};? ?(?:--[ -]{0,3}|#|\/\*)$/m,
    finds: 'such a quote, and a comment that cuts off the rest',
  },
  {
    id: 'sql-second-statement',
    score: 5,
    paranoia: 1,
    pattern:
      /(?:^[\w-]{0,40}|['"][) ]{0,3}); ?(?:drop|truncate|alter|create) (?:table|database|schema|user|view)\b|(?:^[\w-]{0,40}|['"][) ]{0,3}); ?(?:insert into|delete from|update \w{1,40} set|select \S{1,40} (?:from|into)|exec(?:ute)? |shutdown\b)/m,
    finds: 'a second statement behind a value',
  },
  {
    id: 'sql-wait',
    score: 5,
    paranoia: 1,
    pattern:
      /\b(?:pg_sleep|benchmark|dbms_lock\.sleep|dbms_pipe\.receive_message) ?\(|\bwaitfor delay ['"]|(?:\b(?:and|or|select|if|case|then)|['"|+,(]) ?\(?(?:select )?\(?sleep ?\( ?\d/m,
    finds: 'a statement that waits',
  },
  {
    id: 'sql-read-file',
    score: 5,
    paranoia: 1,
    pattern:
      /\bload_file ?\(|\binto (?:out|dump)file ['"]|\bxp_(?:cmdshell|dirtree|regread)\b|\butl_(?:http|inaddr)\.|\bextractvalue ?\( ?\d|\bupdatexml ?\( ?\d/m,
    finds: 'functions that reach files, shells and hosts',
  },
  {
    id: 'sql-catalogue',
    score: 3,
    paranoia: 1,
    pattern:
      /\binformation_schema\.|\bsys\.(?:objects|tables|databases|user)|\bpg_(?:catalog|shadow|user)\b|\bsqlite_(?:master|schema)\b|@@(?:version|hostname|datadir)/m,
    finds: 'tables that describe the others',
  },
  {
    id: 'sql-subselect',
    score: 3,
    paranoia: 1,
    pattern: /\( ?select [^()\n]{1,80} from [a-z_]/m,
    finds: 'a query within brackets',
  },
  {
    id: 'sql-select',
    score: 1,
    paranoia: 1,
    pattern: /\bselect [^;<>\n]{1,80} from [a-z_]/m,
    finds: '`select ... from`, which may be plain English',
  },
  {
    id: 'sql-words',
    score: 4,
    paranoia: 2,
    breaksOut: true,
    pattern: /['"][^'"\n]{0,30}\b(?:select|insert|update|delete|drop|union|order by|group by|having|exec)\b/m,
    finds: 'a word of SQL behind such a quote',
  },
  {
    id: 'sql-order',
    score: 3,
    paranoia: 2,
    pattern: /\b(?:order|group) by \d{1,3}\b/m,
    finds: '`order by 5`',
  },
]

const script: readonly Rule[] = [
  {
    id: 'script-tag',
    score: 5,
    paranoia: 1,
    pattern: /<[/ ]?script[ />]|<script$/m,
    finds: 'a tag `script`',
  },
  {
    id: 'script-handler',
    score: 5,
    paranoia: 1,
    pattern: /<[a-z][^<>\n]{0,200}[ /"']on[a-z]{3,20} ?=/m,
    finds: 'a tag with a handler: `onerror=`',
  },
  {
    id: 'script-handler-alone',
    score: 5,
    paranoia: 1,
    breaksOut: true,
    pattern:
      /["'][ /]?(?:[a-z]{1,20}=[^ \n]{0,30} )?on(?:error|load|click|focus|mouse[a-z]{2,5}|toggle|animation[a-z]{3,9}|pointer[a-z]{2,5}|key[a-z]{2,5}) ?=/m,
    finds: 'a handler behind such a quote',
  },
  {
    id: 'script-tag-other',
    score: 5,
    paranoia: 1,
    pattern: /<(?:iframe|object|embed|applet|base|frameset)[ />]/m,
    finds: 'a tag that brings in what is elsewhere',
  },
  {
    id: 'script-url',
    score: 5,
    paranoia: 1,
    pattern:
      /\bj ?a ?v ?a ?s ?c ?r ?i ?p ?t ?:(?:\/\/| ?[\w.[\]'"`]{1,60} ?[(=`])|\bvbscript ?: ?\w{1,40} ?[("]|\bdata ?: ?text\/html/m,
    finds: 'an address that is a script',
  },
  {
    id: 'script-break',
    score: 5,
    paranoia: 1,
    breaksOut: true,
    pattern:
      /['"`][) ]{0,3}[;,+*^|&-]{1,2} ?(?:alert|prompt|confirm|eval|fetch|import|settimeout|document|window|location|self|top)[ (.=[`]/m,
    finds: 'a script behind such a quote',
  },
  {
    id: 'script-reach',
    score: 2,
    paranoia: 1,
    pattern:
      /\bdocument\.(?:cookie|domain|write)|\bstring\.fromcharcode ?\(|\.innerhtml ?=|\beval ?\(|\balert ?\(|\blocalstorage\b/m,
    finds: 'what scripts reach for',
  },
  {
    id: 'script-tag-drawn',
    score: 3,
    paranoia: 1,
    pattern: /<(?:svg|math|meta|link|form|style|xml|template)[ />]/m,
    finds: 'a tag that may carry a script',
  },
  { id: 'html', score: 3, paranoia: 2, pattern: /<\/?[a-z]{1,20}[ />]/m, finds: 'any tag' },
]

const lookup: readonly Rule[] = [
  {
    id: 'lookup',
    score: 5,
    paranoia: 1,
    pattern: /\$\{[^}\n]{0,40}(?:jndi|\$\{)|\$\{(?:lower|upper|env|sys|java):/m,
    finds: 'a look-up of Log4j: `${jndi:`',
  },
]

/** All that is looked for. What each scores is a table in docs/edge.md, held by a test. */
export const rules: readonly Rule[] = [...path, ...sql, ...script, ...lookup]
