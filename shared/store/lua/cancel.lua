-- Stop a job; with ARGV[4] "1" remove it too, and its result unless another job holds it.
-- ARGV[3] job. Returns messages.
local job = ARGV[3]
if call('ZSCORE', K('inflight'), job) then drop_job(job, 'cancelled', '') end
dispatch()
if ARGV[4] == '1' and call('EXISTS', job_key(job)) == 1 then
  local run = get(job_key(job), 'run')
  local only = call('SCARD', run_key(run, 'refs')) == 1 and call('SISMEMBER', run_key(run, 'refs'), job) == 1
  if only and num(run_key(run), 'cached') == 1 then uncache(run) end
  remove_job(job)
end
return OUT
