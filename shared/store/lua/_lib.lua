-- Put before every script of this folder. KEYS[1] is the prefix of all keys; ARGV[1] the time in ms, or 0 for Redis's own
-- clock; ARGV[2] the limits as JSON (see Limits in protocol.py). The script's own arguments follow from ARGV[3].
--
-- job:{id}          hash    run client name kind options priority pages(JSON) created cached status finished expires error
--                           idem eta(ms from created, as estimated when it was accepted)
-- run:{id}          hash    blob size kind options key client queue total todo dispatched done failed lines copied bytes
--                           cached mixed fingerprint status started finished error
-- run:{id}:todo     list    page numbers not yet sent to the queue
-- run:{id}:state    hash    page -> JSON {s: state, n: attempts, t: token, w: worker, d: lines done, l: lines in all}
-- run:{id}:result   hash    page -> compressed JSON, or "!" and the problem's JSON for a page that failed unread
-- run:{id}:preview  hash    page -> JPEG
-- run:{id}:attempts hash    "page:attempt" -> JSON record
-- run:{id}:active   set     jobs that wait for the run        run:{id}:refs  set  jobs that point at it
-- run:{id}:pkeys    set     pixel keys that point at it
-- ring:{queue}      list    clients with pages not yet sent, taking turns
-- backlog:{queue}:{client}  list  that client's runs, taking turns;   todo  hash  queue -> pages not yet sent
-- conveyor:{queue}  zset    "run page" -> when its message was sent; claimed pages leave
-- leases            zset    "run page" -> until when the claim holds
-- waiting:{queue}   zset    run -> order of arrival, until its first page is claimed;   order  string  last order given
-- flight            hash    cache key -> run under way        cache  hash  cache key -> run kept
-- lru               zset    kept run -> last used             pkey   hash  pixel key -> "run page"
-- inflight          zset    job -> deadline                   inflight:by  hash  client -> how many
-- expiry            zset    ended job -> when it is removed   jobs:{client}  zset  job -> created
-- blob:{sha}        string  bytes;  blobrefs, blobsize  hash  sha -> runs that need it, bytes
-- idem:{client}:{k} string  "until job mark", expires by itself
-- slots             zset    warm worker process -> last heard of;  slotinfo  hash  worker process -> JSON
-- versions          hash    engine -> JSON {version, history, since} of the weights to read with
-- weights:{engine}:{version}  string  archive of a version's files, of the wanted one and the one before
-- rollover          string  "until owner": who may load other weights now
-- meta              hash    id_secret; records  version of all of this, the highest that any process of the fleet writes
-- totals            hash    counters, also blob_bytes, cache_bytes, page_ms
-- channel events            a run's id, each time a client may see a change

local P = KEYS[1]
local L = cjson.decode(ARGV[2])
local NOW = tonumber(ARGV[1])
if NOW == 0 then
  local time = redis.call('TIME')
  NOW = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
local RECORDS = tonumber(redis.call('HGET', P .. 'meta', 'records') or 0)
if RECORDS > L.records then return redis.error_reply('RECORDS ' .. string.format('%d', RECORDS)) end
if RECORDS < L.records then redis.call('HSET', P .. 'meta', 'records', L.records) end
local QUEUES = {'interactive', 'bulk'}
local FIRST_PAGES, MIN_WINDOW, LOST_AFTER, AGED_AFTER, EWMA, FAIR_SHARE = 4, 4, 5000, 20000, 0.1, 4
local VERSIONS_KEPT = 10
local OUT = {}

local function call(...) return redis.call(...) end
local function ms(number) return string.format('%.0f', number) end
local function K(name) return P .. name end
local function run_key(run, part) return P .. 'run:' .. run .. (part and (':' .. part) or '') end
local function job_key(job) return P .. 'job:' .. job end
local function get(key, field) return call('HGET', key, field) or '' end
local function num(key, field) return tonumber(call('HGET', key, field) or 0) end
local function total(name, by) call('HINCRBYFLOAT', K('totals'), name, by or 1) end
local function changed(run) call('PUBLISH', K('events'), run) end
local function ended(status) return status ~= 'queued' and status ~= 'running' end

local function page_state(run, page)
  local row = call('HGET', run_key(run, 'state'), page)
  return row and cjson.decode(row)
end

local function set_page(run, page, state)
  call('HSET', run_key(run, 'state'), page, cjson.encode(state))
end

local function live_slots()
  return call('ZCOUNT', K('slots'), '(' .. ms(NOW - L.slot_ttl_s * 1000), '+inf')
end

local function retry_after()
  local pages = num(K('todo'), 'interactive') + num(K('todo'), 'bulk')
  pages = pages + call('ZCARD', K('conveyor:interactive')) + call('ZCARD', K('conveyor:bulk'))
  local page_ms = num(K('totals'), 'page_ms')
  if page_ms == 0 then page_ms = 1000 end
  local seconds = math.floor(pages * page_ms / 1000 / math.max(1, live_slots()))
  return math.min(120, math.max(1, seconds))
end

-- Ms until the last page of a run is read, or 0 while unknown; the formula of eta.py. `place` counts from 1, 0 once running.
local function estimate(run, place)
  local page_ms, slots = num(K('totals'), 'page_ms'), live_slots()
  if page_ms == 0 or slots == 0 then return 0 end
  local key = run_key(run)
  local own, before = num(key, 'total') - num(key, 'done') - num(key, 'failed'), 0
  if place > 0 then
    before = (place - 1) * math.min(own, FAIR_SHARE) + call('ZCARD', K('conveyor:interactive'))
    if get(key, 'queue') == 'bulk' then
      before = before + call('ZCARD', K('conveyor:bulk')) + call('ZCARD', K('waiting:interactive'))
    end
  end
  return (before + own) * page_ms / slots
end

local function place_of(run)
  local before = 0
  for _, queue in ipairs(QUEUES) do
    local rank = call('ZRANK', K('waiting:' .. queue), run)
    if rank then return before + rank + 1 end
    before = before + call('ZCARD', K('waiting:' .. queue))
  end
  return 0
end

-- Dispatching: clients take turns, and so do the runs of a client

local function send(run, page, queue)
  call('ZADD', K('conveyor:' .. queue), ms(NOW), run .. ' ' .. page)
  OUT[#OUT + 1] = {run, tonumber(page), queue}
end

local function unqueue(run, page)
  call('ZREM', K('conveyor:interactive'), run .. ' ' .. page)
  call('ZREM', K('conveyor:bulk'), run .. ' ' .. page)
end

local function line_up(run, queue, client)
  local line = K('backlog:' .. queue .. ':' .. client)
  if call('RPUSH', line, run) == 1 then call('RPUSH', K('ring:' .. queue), client) end
  call('HINCRBY', K('todo'), queue, call('LLEN', run_key(run, 'todo')))
end

local function dispatch()
  local window = math.max(MIN_WINDOW, 2 * live_slots())
  for _, queue in ipairs(QUEUES) do
    while call('ZCARD', K('conveyor:' .. queue)) < window do
      local client = call('LPOP', K('ring:' .. queue))
      if not client then break end
      local line = K('backlog:' .. queue .. ':' .. client)
      local run = call('LPOP', line)
      local todo = run and run_key(run, 'todo')
      local page = todo and call('LPOP', todo)
      if page then
        call('HINCRBY', K('todo'), queue, -1)
        local sent = call('HINCRBY', run_key(run), 'dispatched', 1)
        if call('HEXISTS', run_key(run, 'state'), page) == 0 then
          set_page(run, page, {s = 'queued', n = 0, t = '', w = '', d = 0, l = 0})
          send(run, page, queue)
        end
        local left = call('LLEN', todo)
        if left > 0 then
          if queue == 'interactive' and sent >= FIRST_PAGES then
            call('HINCRBY', K('todo'), queue, -left)
            call('HSET', run_key(run), 'queue', 'bulk')
            line_up(run, 'bulk', client)
          else
            call('RPUSH', line, run)
          end
        end
      end
      if call('EXISTS', line) == 1 then call('RPUSH', K('ring:' .. queue), client) end
    end
  end
end

-- Removing

local function uncache(run)
  call('HSET', run_key(run), 'cached', 0)
  call('ZREM', K('lru'), run)
  call('HINCRBYFLOAT', K('totals'), 'cache_bytes', -num(run_key(run), 'bytes'))
  local key = get(run_key(run), 'key')
  if call('HGET', K('cache'), key) == run then call('HDEL', K('cache'), key) end
end

local function remove_run_if_unused(run)
  if call('EXISTS', run_key(run)) == 0 or not ended(get(run_key(run), 'status')) then return end
  if call('SCARD', run_key(run, 'refs')) > 0 or num(run_key(run), 'cached') == 1 then return end
  for _, key in ipairs(call('SMEMBERS', run_key(run, 'pkeys'))) do call('HDEL', K('pkey'), key) end
  for _, part in ipairs({'todo', 'state', 'result', 'preview', 'attempts', 'active', 'refs', 'pkeys'}) do
    call('DEL', run_key(run, part))
  end
  call('DEL', run_key(run))
end

local function trim()
  local horizon = NOW - L.cache_ttl_s * 1000
  while true do
    local oldest = call('ZRANGE', K('lru'), 0, 0, 'WITHSCORES')
    if #oldest == 0 then return end
    if tonumber(oldest[2]) > horizon and num(K('totals'), 'cache_bytes') <= L.cache_bytes then return end
    uncache(oldest[1])
    remove_run_if_unused(oldest[1])
  end
end

local function remove_job(job)
  local key = job_key(job)
  local run, client, idem = get(key, 'run'), get(key, 'client'), get(key, 'idem')
  if idem ~= '' then call('DEL', K('idem:' .. client .. ':' .. idem)) end
  call('DEL', key)
  call('ZREM', K('jobs:' .. client), job)
  call('ZREM', K('expiry'), job)
  call('SREM', run_key(run, 'refs'), job)
  remove_run_if_unused(run)
end

-- A page's life and a run's end

local function end_attempt(run, page, outcome)
  call('ZREM', K('leases'), run .. ' ' .. page)
  local state = page_state(run, page)
  local field = page .. ':' .. string.format('%d', state.n)
  local row = call('HGET', run_key(run, 'attempts'), field)
  if not row then return end
  local record = cjson.decode(row)
  -- An attempt that was given up as lost and then handed its page in after all was not lost.
  if record.outcome == cjson.null or outcome == 'done' then
    record.ended_at, record.outcome = NOW, outcome
    call('HSET', run_key(run, 'attempts'), field, cjson.encode(record))
  end
end

local function close_job(job, finished)
  local client = get(job_key(job), 'client')
  if call('ZREM', K('inflight'), job) == 1 then
    if call('HINCRBY', K('inflight:by'), client, -1) <= 0 then call('HDEL', K('inflight:by'), client) end
  end
  local expires = finished + L.result_ttl_s * 1000
  call('HSET', job_key(job), 'finished', ms(finished), 'expires', ms(expires))
  call('ZADD', K('expiry'), ms(expires), job)
end

local function end_run(run, status)
  local key = run_key(run)
  call('HSET', key, 'status', status, 'finished', ms(NOW))
  local left = call('LLEN', run_key(run, 'todo'))
  if left > 0 then
    call('HINCRBY', K('todo'), get(key, 'queue'), -left)
    call('DEL', run_key(run, 'todo'))
  end
  local cache_key = get(key, 'key')
  if cache_key ~= '' and call('HGET', K('flight'), cache_key) == run then call('HDEL', K('flight'), cache_key) end
  for _, queue in ipairs(QUEUES) do call('ZREM', K('waiting:' .. queue), run) end
  for _, page in ipairs(call('HKEYS', run_key(run, 'state'))) do
    unqueue(run, page)
    if call('ZSCORE', K('leases'), run .. ' ' .. page) then end_attempt(run, page, 'cancelled') end
  end
  local sha = get(key, 'blob')
  if call('HINCRBY', K('blobrefs'), sha, -1) <= 0 then
    call('HINCRBYFLOAT', K('totals'), 'blob_bytes', -num(K('blobsize'), sha))
    call('HDEL', K('blobrefs'), sha)
    call('HDEL', K('blobsize'), sha)
    call('DEL', K('blob:' .. sha))
  end
  if status == 'cancelled' then call('DEL', run_key(run, 'result'), run_key(run, 'preview')) end
  for _, job in ipairs(call('SMEMBERS', run_key(run, 'active'))) do
    close_job(job, NOW)
    total('jobs_' .. status)
    local eta = num(job_key(job), 'eta')
    if status == 'done' and eta > 0 then
      total('eta_jobs')
      total('eta_error_ms', ms(math.abs(NOW - num(job_key(job), 'created') - eta)))
    end
  end
  call('DEL', run_key(run, 'active'))
  if status == 'done' and cache_key ~= '' and num(key, 'mixed') == 0 and L.cache_bytes > 0 then
    call('HSET', key, 'cached', 1)
    call('HSET', K('cache'), cache_key, run)
    call('ZADD', K('lru'), ms(NOW), run)
    total('cache_bytes', num(key, 'bytes'))
    trim()
  end
  changed(run)
end

local function close_page(run, page, outcome)
  end_attempt(run, page, outcome)
  unqueue(run, page)
  local key = run_key(run)
  local done, failed = num(key, 'done'), num(key, 'failed')
  if done + failed == num(key, 'total') then
    end_run(run, failed == 0 and 'done' or (done == 0 and 'failed' or 'partial'))
  end
  changed(run)
end

local function requeue(run, page, state, outcome)
  end_attempt(run, page, outcome)
  state.s = 'queued'
  set_page(run, page, state)
  unqueue(run, page)
  send(run, page, get(run_key(run), 'queue'))
end

local function fail(run, page, state, problem, result, outcome)
  state.s, state.d, state.l = 'failed', 0, 0
  set_page(run, page, state)
  call('HINCRBY', run_key(run), 'failed', 1)
  call('HSET', run_key(run, 'result'), page, result ~= '' and result or ('!' .. problem))
  call('HSETNX', run_key(run), 'error', problem)
  total('pages_failed')
  close_page(run, page, outcome)
end

local function lost(run, page, state, outcome, final, worn_out)
  total('attempts_lost')
  if final == '' and state.n < L.max_attempts then
    requeue(run, page, state, outcome)
  else
    fail(run, page, state, final ~= '' and final or worn_out, '', outcome)
  end
end

local function drop_job(job, status, problem)
  local key = job_key(job)
  local run = get(key, 'run')
  call('HSET', key, 'status', status, 'error', problem)
  close_job(job, NOW)
  call('SREM', run_key(run, 'active'), job)
  total('jobs_' .. status)
  if call('SCARD', run_key(run, 'active')) == 0 and not ended(get(run_key(run), 'status')) then
    end_run(run, 'cancelled')
  end
  changed(run)
end

-- The held page of a claim, if the claim still counts: its token is the last one given and the run goes on
local function holder(run, page, token)
  if call('EXISTS', run_key(run)) == 0 or ended(get(run_key(run), 'status')) then return nil end
  local state = page_state(run, page)
  if not state or state.t ~= token then return nil end
  return state
end
