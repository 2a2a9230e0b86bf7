package main

// Promises 57, 59, 60 and 62: bounds of time, text and memory, and where secrets go.
var bounds = []promise{
	{number: 57, text: `Every request and every answer has a time limit of its own, without a deadline in ctx. A connection that moves slowly, and the pages of a long list, do not count as stalled.`, breaks: []flaw{}},
	{number: 59, text: `A secret is sent to its origin only. Upload credentials go to hosts of the service, or to hosts that the user lists.`, breaks: []flaw{}},
	{number: 60, text: `Foreign text in errors and logs is redacted in all its escaped forms, on one line, at most 1 KiB. Bodies of answers are not quoted.`, breaks: []flaw{
		{what: "the receiver of callbacks logs what it is told", file: "events/receiver.go", old: `r.hide(err.Error(), req.Header)`, new: `err.Error()`},
		{what: "the keys of callbacks are not masked", file: "events/receiver.go", old: `known[i] = string(key)`, new: `known[i] = string(key[:0])`},
	}},
	{number: 62, text: `Memory stays in proportion to the bytes received, for every document and list that comes from outside.`, breaks: []flaw{
		{what: "every member of an event is kept", file: "events/parse.go", old: `members[name] && `, new: ``},
		{what: "a message of any size is read", file: "events/parse.go", old: `len(message) > MaxBytes`, new: `false`},
	}},
}
