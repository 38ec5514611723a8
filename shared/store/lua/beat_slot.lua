-- A worker process says that it lives. ARGV[3] slot, [4] its info as JSON, [5] "1" if its model is warm.
if ARGV[5] == '1' then call('ZADD', K('slots'), ms(NOW), ARGV[3]) end
local info = cjson.decode(ARGV[4])
info.beat_at = NOW
call('HSET', K('slotinfo'), ARGV[3], cjson.encode(info))
return 1
