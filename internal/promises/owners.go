package main

// Promises 52, 53, 55 and 61: whose an upload is.
var owners = []promise{
	{number: 52, text: `Two accounts never share a checkpoint or a list of finished uploads. One account shares them whatever access keys or roles it uses. Metadata of the target makes no second asset.`, breaks: []flaw{}},
	{number: 53, text: `A key given by the user names an upload for every source, across processes and machines that share the directory. A given MediaId, or a ReferenceId that exists, is continued.`, breaks: []flaw{}},
	{number: 55, text: `An upload from a URL continues in another process when the server identifies the file by a strong ETag or Last-Modified.`, breaks: []flaw{
		{what: "parts are kept whatever the server says of the file", file: "upload/resume.go", old: `r.content.versioned && was.Source.sameContent(source)`, new: `r.content.versioned`},
		{what: "kept parts are fetched again", file: "upload/resume.go", old: `if r.content.at != nil || r.content.ranges == nil {`, new: `if true {`},
		{what: "a weak ETag identifies a file", file: "upload/url.go", old: `if d.size != UnknownSize && d.resumable() {`, new: `if d.size != UnknownSize {`},
		{what: "a Last-Modified of this second identifies a file", file: "upload/url.go", old: `now.Sub(last) < time.Minute`, new: `now.Sub(last) < 0`},
		{what: "a new signature is another file", file: "upload/url.go", old: `if _, signed := lower[sign]; !signed {`, new: `if _, signed := lower[sign]; !signed || signed {`},
		{what: "the rest of a file of another date is taken", file: "upload/url.go", old: `other := etag != d.etag || d.etag == "" && modified != d.modified`, new: `other := etag != d.etag`},
	}},
	{number: 61, text: `Checkpoint files are opened without following links. Files that do not belong to this user, or that others can write, are not believed.`, breaks: []flaw{}},
}
