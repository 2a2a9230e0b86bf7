package main

// Promise 44: callbacks.
var callbacks = []promise{{
	number: 44,
	text:   "Callbacks are verified in constant time, within a window that can be set, by each of several keys while one replaces another; what was handled is not handled again.",
	breaks: []flaw{
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
		{what: "what failed is not handled when it is repeated", file: "events/replay.go", old: `r.seen.remove(key)`, new: `r.seen.set(key, true, r.limit)`},
		{what: "another body under the same headers counts as handled", file: "events/replay.go", old: `h.Write(body)`, new: ``},
	},
}}
