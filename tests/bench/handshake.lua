-- wrk: validation handshakes; TARGET is the path.
local path = os.getenv("TARGET") .. "?validationToken=Validation%3A+Testing+client+application+reachability+for+subscription+Request-Id%3A+877cb92e-a60b-483b-8a39-79aa5f64f5a3"
local one

function init(args)
	one = wrk.format("POST", path, { ["Content-Type"] = "text/plain; charset=utf-8" }, "")
end

function request()
	return one
end

function done(summary, latency, _)
	local e = summary.errors
	io.write(string.format("RESULT %d %d %d %d %d %d\n", summary.requests, summary.duration,
		e.status + e.connect + e.read + e.write + e.timeout, latency:percentile(50), latency:percentile(99), latency.max))
end
