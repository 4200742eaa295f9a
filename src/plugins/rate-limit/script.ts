/**
 * Decides one request at several limits in one step, by the clock of Redis: the arithmetic of the algorithms beside this file. KEYS: one to
 * a limit, all of one hash slot. ARGV: how many such requests to count if there is room (a lease; else 1), then for each limit its kind, amount
 * and span (`script` of an Algorithm), what a request costs there, and what it costs when it comes again. Answers the time, how many requests are counted, then for each limit whether
 * it lets one pass and the three numbers of Told.
 *
 * A bucket, window or month is a text: kind, span, at, used, before; a log is a list of times. So whatever a key was counted by before, the units in
 * use go on counting. Keys go when they are idle. What a clock that went back left in the future is written anew at once, or it would be refused until
 * the clock is there again. The work does not grow with the length of a log, but for its logarithm, and for the cost of what is admitted.
 */
export const script = `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local day = 86400000000
local whole = function(number) return string.format('%.0f', number) end

-- Where the month of a moment begins and ends; mostly it is the one that was asked for last.
local first, last = 0, 0
local leap = function(year) return year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0) end
local month = function(at)
  if at >= first and at < last then return first, last end
  local today = math.floor(at / day)
  local rest, year = today, 1970
  while rest >= (leap(year) and 366 or 365) do
    rest = rest - (leap(year) and 366 or 365)
    year = year + 1
  end
  for i, length in ipairs({31, leap(year) and 29 or 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}) do
    if rest < length then
      first, last = (today - rest) * day, (today - rest + length) * day
      return first, last
    end
    rest = rest - length
  end
end

-- When a text is idle.
local ends = function(kind, span, at)
  if kind == 1 then return at end
  if kind == 3 then return at + 2 * span end
  if kind == 5 then
    local _, over = month(at)
    return over
  end
  return at + span
end

local keep = function(key, kind, span, at, used, before)
  local text = string.format('%.0f %.0f %.0f %.0f %.0f', kind, span, at, used, before)
  redis.call('SET', key, text, 'PX', whole(math.max(math.ceil((ends(kind, span, at) - now) / 1000), 1)))
end

-- The entry of a log from which on all are later than a moment.
local later = function(key, length, moment)
  local low, high = 0, length
  while low < high do
    local middle = math.floor((low + high) / 2)
    if tonumber(redis.call('LINDEX', key, middle)) > moment then high = middle else low = middle + 1 end
  end
  return low
end

local log = function(key, count, span)
  while count > 0 do
    local times = {}
    for i = 1, math.min(count, 1000) do times[i] = whole(now) end
    redis.call('RPUSH', key, unpack(times))
    count = count - #times
  end
  redis.call('PEXPIRE', key, whole(math.ceil(span / 1000)))
end

-- A log without what is out of its window; what is still to come counts as now.
local trimmed = function(key, span)
  local length = redis.call('LLEN', key)
  if length == 0 then return 0 end
  if tonumber(redis.call('LINDEX', key, 0)) <= now - span then
    local gone = later(key, length, now - span)
    redis.call('LTRIM', key, gone, -1)
    length = length - gone
  end
  if length > 0 and tonumber(redis.call('LINDEX', key, -1)) > now then
    local past = later(key, length, now)
    if past == 0 then redis.call('DEL', key) else redis.call('LTRIM', key, 0, past - 1) end
    log(key, length - past, span)
  end
  return length
end

-- Units in use by what a key was counted by before.
local units = function(kind, span, at, used, before)
  if kind == 1 then return math.max(at - now, 0) / span end
  if kind ~= 3 then return now < ends(kind, span, at) and used or 0 end
  local start = now - now % span
  if at < start then
    before = start - at <= span and used or 0
    used = 0
  end
  return used + math.ceil(before * (span - (now - start)) / span)
end

local states, granted = {}, tonumber(ARGV[1])
for i, key in ipairs(KEYS) do
  local n = 5 * i - 3
  local kind, amount, span, cost = tonumber(ARGV[n]), tonumber(ARGV[n + 1]), tonumber(ARGV[n + 2]), tonumber(ARGV[n + 3])
  local at, used, before, free, moved = 0, 0, 0, 0, false
  local kept = redis.pcall('GET', key)
  if type(kept) == 'string' then
    local numbers = {}
    for number in string.gmatch(kept, '%d+') do numbers[#numbers + 1] = tonumber(number) end
    if numbers[1] == kind and numbers[2] == span then
      at, used, before = numbers[3], numbers[4], numbers[5]
    else
      used, moved = units(unpack(numbers)), true
    end
  elseif type(kept) == 'table' and kind ~= 4 then
    -- Its window is what it had to live after its newest entry.
    local window = now + redis.call('PTTL', key) * 1000 - tonumber(redis.call('LINDEX', key, -1))
    local length = redis.call('LLEN', key)
    used, moved = length - later(key, length, now - window), true
  end
  if moved and kind == 4 then
    redis.call('DEL', key)
    if used > 0 then log(key, math.min(math.ceil(used), amount), span) end
  elseif moved and kind == 1 then
    at, used = now + math.min(math.ceil(used * span), amount), 0
  elseif moved then
    at, used = kind == 5 and month(now) or now - now % span, math.ceil(used)
  end
  if kind == 1 then
    local last = at
    at = now + math.min(math.max(at - now, 0), amount)
    moved = moved or last > at
    free = math.floor((amount - (at - now)) / span)
  elseif kind == 4 then
    used, moved = trimmed(key, span), false
    free = amount - used
  else
    local start = kind == 5 and month(now) or now - now % span
    if at < start then
      before = kind == 3 and start - at <= span and used or 0
      used = 0
    end
    moved = moved or at > start
    at = start
    free = amount - used - (kind == 3 and math.ceil(before * (span - (now - start)) / span) or 0)
  end
  if moved then keep(key, kind, span, at, used, before) end
  granted = math.max(math.min(granted, math.floor(free / cost)), 0)
  states[i] = {kind, amount, span, cost, at, used, before, free >= cost}
end

local answer = {now, granted}
for i, key in ipairs(KEYS) do
  local kind, amount, span, cost, at, used, before, admits = unpack(states[i])
  local taken = granted * cost
  if taken > 0 then
    if kind == 4 then
      log(key, taken, span)
      used = used + taken
    else
      if kind == 1 then at = at + taken * span else used = used + taken end
      keep(key, kind, span, at, used, before)
    end
  end
  if kind == 4 then
    at = tonumber(redis.call('LINDEX', key, math.max(used - amount, 0)) or '0')
    if not admits then before = tonumber(redis.call('LINDEX', key, used - amount + tonumber(ARGV[5 * i + 1]) - 1) or '0') end
  end
  for _, number in ipairs({admits and 1 or 0, at, used, before}) do answer[#answer + 1] = number end
end
return answer
`

/**
 * Gives back what the last in the queue of a bucket took, if nobody came after him. KEYS: the bucket. ARGV: when it is idle by his reckoning, and when
 * it was to be his turn.
 */
export const giveBackScript = `
local kept = redis.pcall('GET', KEYS[1])
if type(kept) ~= 'string' then return 0 end
local kind, span, at = string.match(kept, '^(%d+) (%d+) (%d+)')
if kind ~= '1' or at ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], kind .. ' ' .. span .. ' ' .. ARGV[2] .. ' 0 0', 'KEEPTTL')
return 1
`
