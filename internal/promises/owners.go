package main

// Promises 52, 53, 55 and 61: whose an upload is.
var owners = []promise{
	{number: 52, text: `Two accounts never share a checkpoint or a list of finished uploads. One account shares them whatever access keys or roles it uses. Metadata of the target makes no second asset.`, breaks: []flaw{}},
	{number: 53, text: `A key given by the user names an upload for every source, across processes and machines that share the directory. A given MediaId, or a ReferenceId that exists, is continued.`, breaks: []flaw{}},
	{number: 55, text: `An upload from a URL continues in another process when the server identifies the file by a strong ETag or Last-Modified.`, breaks: []flaw{}},
	{number: 61, text: `Checkpoint files are opened without following links. Files that do not belong to this user, or that others can write, are not believed.`, breaks: []flaw{}},
}
