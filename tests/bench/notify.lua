-- wrk: one notification of about 923 bytes per request, ids unique over COUNT events.
-- Environment: TARGET (path), SUBS (file, one "id clientState tenant mailbox" a line), COUNT, PREFIX.
local path = os.getenv("TARGET")
local count = tonumber(os.getenv("COUNT") or "10000")
local prefix = os.getenv("PREFIX") or "AAkA"
local size = tonumber(os.getenv("SIZE") or "923")
local subs = {}
for line in io.lines(os.getenv("SUBS")) do
	local id, state, tenant, mailbox = line:match("^(%S+) (%S+) (%S+) (%S+)$")
	subs[#subs + 1] = { id = id, state = state, tenant = tenant, mailbox = mailbox }
end

local function body(sub, event)
	local where = "Users/" .. sub.mailbox .. "/Events/" .. event
	return '{"value":[{"subscriptionId":"' .. sub.id .. '","subscriptionExpirationDateTime":"2030-01-01T00:00:00.0000000+00:00",'
		.. '"changeType":"updated","resource":"' .. where .. '","resourceData":{"@odata.type":"#Microsoft.Graph.Event","@odata.id":"' .. where
		.. '","@odata.etag":"W/\\"DwAAABYAAADkrWGo7bouTKlsgTZMr9KwAAAUWRHf\\"","id":"' .. event .. '"},"clientState":"' .. sub.state
		.. '","tenantId":"' .. sub.tenant .. '"}]}'
end

-- The id appears three times: pad it so that the body has the wanted size.
local bare = #body(subs[1], "")
local width = math.floor((size - bare) / 3)
local function event(i)
	local number = string.format("%07d", i)
	return prefix .. string.rep("Q", width - #prefix - #number) .. number
end

local requests = {}
local at = 0

function init(args)
	local headers = { ["Content-Type"] = "application/json; charset=utf-8" }
	for i = 1, count do
		requests[i] = wrk.format("POST", path, headers, body(subs[i % #subs + 1], event(i)))
	end
end

function request()
	at = at % count + 1
	return requests[at]
end

function done(summary, latency, _)
	local e = summary.errors
	io.write(string.format("RESULT %d %d %d %d %d %d\n", summary.requests, summary.duration,
		e.status + e.connect + e.read + e.write + e.timeout, latency:percentile(50), latency:percentile(99), latency.max))
end
