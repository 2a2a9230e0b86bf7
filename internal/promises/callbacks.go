package main

// Promise 44: callbacks.
var callbacks = []promise{{
	number: 44,
	text:   "Callbacks are verified in constant time, within a configurable window, against several keys, so that a key can be rotated. A callback that was handled, or is being handled, is not handled again. A sender that is rejected or slow cannot hold a connection.",
	mutations: []mutation{
		{
			what: "the comparison ends with the first match",
			file: "events/signature.go",
			old:  `found |= equal(sum[:], p.signature)`,
			new:  `if found |= equal(sum[:], p.signature); found == 1 { return true }`,
		},
		{what: "only the first key counts", file: "events/signature.go", old: `range keys {`, new: `range keys[:1] {`},
		{what: "only the first URL counts", file: "events/signature.go", old: `range urls {`, new: `range urls[:1] {`},
		{what: "a time in the future is good for ever", file: "events/signature.go", old: ` || age < -r.window`, new: ``},
		{what: "a time in the past is good for ever", file: "events/signature.go", old: `age > r.window || `, new: ``},
		{what: "the window cannot be set", file: "events/receiver.go", old: `cmp.Or(cfg.Window, defaultWindow)`, new: `defaultWindow`},
		{what: "what is not signed passes", file: "events/signature.go", old: `if !r.unsigned {`, new: `if false {`},
		{what: "what failed is not handled when it is repeated", file: "events/replay.go", old: `if handled {`, new: `if true {`},
		{what: "another body under the same headers counts as handled", file: "events/replay.go", old: `h.Write(body)`, new: ``},
		{what: "what is being handled is forgotten", file: "events/replay.go", old: `r.active[key] = struct{}{}`, new: ``},
		{what: "any number of callbacks is handled at a time", file: "events/replay.go", old: "\tif len(r.active)+r.unnamed >= r.limit {\n\t\treturn nil, ErrBusy\n\t}\n\tif r.active == nil {", new: "\tif r.active == nil {"},
		{what: "who is refused keeps the connection", file: "events/receiver.go", old: `w.Header().Set("Connection", "close")`, new: ``},
		{what: "what is left of a body is waited for", file: "events/receiver.go", old: `_ = http.NewResponseController(w).SetReadDeadline(time.Now())`, new: ``},
		{what: "a body is waited for", file: "events/receiver.go", old: "\tcase <-ctx.Done():\n\t\treturn nil, ErrTooSlow\n", new: ``},
		{what: "handling has no deadline", file: "events/receiver.go", old: `context.WithTimeout(req.Context(), responseTime)`, new: `context.WithCancel(req.Context())`},
	},
}}
