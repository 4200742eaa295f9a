/**
 * Decides one request at several limits in one step, by the clock of Redis: the arithmetic of token-bucket.ts, fixed-window.ts,
 * sliding-window.ts and sliding-log.ts. KEYS: one to a limit, all of one hash tag. ARGV: for each its kind, amount and span (`script`
 * of an Algorithm). Answers the time, whether the request is counted, then for each limit whether it lets the request pass and three
 * numbers that tell its state. Keys go when they are idle. What a clock that went back left in the future is written anew at once, or it
 * would be refused until the clock is there again.
 */
export const script = `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local whole = function(number) return string.format('%.0f', number) end
local keep = function(key, text, idleAt) redis.call('SET', key, text, 'PX', whole(math.ceil((idleAt - now) / 1000))) end
local states, admitted = {}, 1
for i, key in ipairs(KEYS) do
  local kind, amount, span = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i])
  local a, b, c, admits = 0, 0, 0, false
  if kind == 1 then
    local fullAt = tonumber(redis.call('GET', key) or '0')
    a = now + math.min(math.max(fullAt - now, 0), amount)
    if fullAt > a then keep(key, whole(a), a) end
    admits = a - now + span <= amount
  elseif kind == 4 then
    local oldest = redis.call('LINDEX', key, 0)
    while oldest and tonumber(oldest) <= now - span do
      redis.call('LPOP', key)
      oldest = redis.call('LINDEX', key, 0)
    end
    local i = -1
    local newest = redis.call('LINDEX', key, i)
    while newest and tonumber(newest) > now do
      redis.call('LSET', key, i, whole(now))
      i = i - 1
      newest = redis.call('LINDEX', key, i)
    end
    b = redis.call('LLEN', key)
    admits = b < amount
  else
    local start = now - now % span
    local kept = redis.call('GET', key)
    if kept then
      local from, used, before = string.match(kept, '(%d+) (%d+) (%d+)')
      a, b, c = tonumber(from), tonumber(used), tonumber(before)
    end
    if a < start then
      c = start - a <= span and b or 0
      b = 0
    end
    if a > start then keep(key, whole(start) .. ' ' .. whole(b) .. ' ' .. whole(c), start + span * (kind - 1)) end
    a = start
    if kind == 2 then c = 0 end
    admits = b + math.ceil(c * (span - (now - start)) / span) < amount
  end
  if not admits then admitted = 0 end
  states[i] = {kind, amount, span, a, b, c, admits and 1 or 0}
end
local answer = {now, admitted}
for i, key in ipairs(KEYS) do
  local kind, amount, span, a, b, c, admits = unpack(states[i])
  if admitted == 1 then
    if kind == 1 then
      a = a + span
      keep(key, whole(a), a)
    elseif kind == 4 then
      b = redis.call('RPUSH', key, whole(now))
      redis.call('PEXPIRE', key, whole(math.ceil(span / 1000)))
    else
      b = b + 1
      keep(key, whole(a) .. ' ' .. whole(b) .. ' ' .. whole(c), a + span * (kind - 1))
    end
  end
  if kind == 4 then a = tonumber(redis.call('LINDEX', key, math.max(b - amount, 0)) or '0') end
  for _, number in ipairs({admits, a, b, c}) do answer[#answer + 1] = number end
end
return answer
`
