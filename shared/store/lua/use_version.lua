-- Choose the version of an engine's weights that the fleet reads with, or step back to the one before.
-- ARGV[3] engine, [4] "use" or "back", [5] the version ("back": the one to step back from), [6] the archive of the version
-- that is wanted afterwards, or "".
-- Choosing what is chosen already, or stepping back from what is no longer chosen, changes nothing: the call may come twice.
-- Returns the record as JSON, false where none was ever made.
local engine, how, version, archive = ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local row = call('HGET', K('versions'), engine)
local record = row and cjson.decode(row)
local history = record and record.history or {}
local function archive_key(name) return K('weights:' .. engine .. ':' .. name) end

if how == 'back' then
  if not record or record.version ~= version or #history == 0 then return row end
  record = {version = table.remove(history, 1), history = history, since = NOW}
elseif not record then
  record = {version = version, history = version ~= '' and {''} or {}, since = NOW}
elseif record.version ~= version then
  table.insert(history, 1, record.version)
  while #history > VERSIONS_KEPT do table.remove(history) end
  record = {version = version, history = history, since = NOW}
end
if archive ~= '' then call('SET', archive_key(record.version), archive) end
-- Archives weigh megabytes: only the wanted one's and the one before's stay.
for _, name in ipairs({version, unpack(record.history)}) do
  if name ~= record.version and name ~= record.history[1] then call('DEL', archive_key(name)) end
end
row = cjson.encode(record)
call('HSET', K('versions'), engine, row)
return row
