package main

// Promises 57, 59, 60 and 62: bounds of time, text and memory, and where secrets go.
var bounds = []promise{
	{number: 57, text: `Every request and every answer has a time limit of its own, without a deadline in ctx. A connection that moves slowly, and the pages of a long list, do not count as stalled.`, breaks: []flaw{
		{what: "an attempt has no limit", file: "internal/rpc/client.go", old: `	return context.WithTimeoutCause(ctx, a.cfg.AttemptTimeout, &lateError{a.cfg.AttemptTimeout})`, new: `	return context.WithTimeoutCause(ctx, 1000*a.cfg.AttemptTimeout, &lateError{a.cfg.AttemptTimeout})`},
		{what: "an attempt without an answer is not a lost one", file: "internal/rpc/retry.go", old: `	s.lost = s.lost || v == ifSafe && s.class != Read`, new: `	s.lost = s.lost || v == ifSafe && s.class != Read && !errors.As(err, new(*lateError))`},
		{what: "a provider that ignores its context is waited for", file: "credentials/renew.go", old: `	case local, *cache, *chain, *profileFile, *sdkProvider:`, new: `	default:`, in: "./internal/rpc"},
		{what: "the source of a cache is waited for without end", file: "credentials/flight.go", old: `	ctx, cancel := context.WithTimeoutCause(ctx, flightLimit+time.Second, errSilent)`, new: `	ctx, cancel := context.WithTimeoutCause(ctx, 1000*flightLimit, errSilent)`},
	}},
	{number: 59, text: `A secret is sent to its origin only. Upload credentials go to hosts of the service, or to hosts that the user lists.`, breaks: []flaw{
		{what: "a region without a host inside a VPC has one", file: "internal/rpc/client.go", old: `		case cfg.Network == alimedia.NetworkVPC && svc.VPCHosts[region] == "":`, new: `		case cfg.Network == alimedia.NetworkVPC && region == "":`},
		{what: "a region holds any text", file: "internal/endpoint/endpoint.go", old: `	if text != "" && (len(text) > 63 || !region.MatchString(text)) {`, new: `	if len(text) > 63 {`, in: "./internal/rpc"},
		{what: "STS is in every region", file: "credentials/sts_hosts.go", old: `	if host == "" {`, new: `	if host = cmp.Or(host, "sts."+region+".aliyuncs.com"); host == "" {`},
		{what: "the endpoint of STS has a path", file: "internal/endpoint/endpoint.go", old: `		u.Path != "" && u.Path != "/" || u.RawQuery`, new: `		u.RawQuery`, in: "./credentials"},
		{what: "a header goes to every server of a playlist", file: "upload/url.go", old: `if slices.Contains(h.origins, origin) || h.origins == nil && d.own == origin {`, new: `if origin != "" {`},
		{what: "a header of FetchRemote needs no origin", file: "upload/hls.go", old: `return h.origins == nil`, new: `return false`},
		{what: "the port does not count", file: "upload/url.go", old: `net.JoinHostPort(strings.ToLower(u.Hostname()), port)`, new: `strings.ToLower(u.Hostname())`},
		{what: "hidden files go along", file: "upload/hls.go", old: `if !allowed && (isHidden(name) || isHidden(f.real)) {`, new: `if false {`},
		{what: "a link leads to a hidden file", file: "upload/hls.go", old: `if !allowed && (isHidden(name) || isHidden(f.real)) {`, new: `if !allowed && isHidden(name) {`},
		{what: "any file is a key", file: "upload/hls.go", old: `case ref.role == keyFile && f.size != 16 && f.size != 32:`, new: `case false:`},
		{what: "any file is a segment", file: "upload/hls.go", old: `case ref.role != keyFile && !(isSegmentName(name) && isSegmentName(f.real)):`, new: `case false:`},
		{what: "a password is published", file: "upload/hls.go", old: `case u.User != nil:`, new: `case false:`},
	}},
	{number: 60, text: `Foreign text in errors and logs is redacted in all its escaped forms, on one line, at most 1 KiB. Bodies of answers are not quoted.`, breaks: []flaw{
		{what: "the fake's account shows its keys", file: "mediatest/account.go", old: `	fmt.Fprintf(f, "mediatest.Account(%s)", acc.id)`, new: `	fmt.Fprintf(f, "mediatest.Account(%s)", acc.static().AccessKeySecret)`, in: "./internal/secrecy"},
		{what: "a pointer to an events.Config shows its keys", file: "events/receiver.go", old: `fmt.Fprintf(f, fmt.FormatString(f, verb), plain(c))`, new: `fmt.Fprintf(f, "%q", []*plain{(*plain)(&c)})`, in: "./internal/secrecy"},
		{what: "the output of a program is quoted", file: "credentials/external.go", old: `		return Credentials{}, errors.New("the output of the process_command is not the JSON document it should be")`, new: `		return Credentials{}, fmt.Errorf("the output of the process_command is not the JSON document it should be: %s", out.buf.Bytes())`},
		{what: "the command of a program is quoted", file: "credentials/external.go", old: `		return Credentials{}, errors.New("the program of the process_command is not found")`, new: `		return Credentials{}, fmt.Errorf("the program of the process_command is not found: %w", err)`},
		{what: "a web server's echo is shown", file: "upload/url.go", old: `text := redact.Text(err.Error(), d.secrets()...)`, new: `text := err.Error()`},
		{what: "a playlist's error has lines", file: "upload/playlist.go", old: `return redact.Text(b.String())`, new: `return b.String()`},
		{what: "a playlist's error has lines", file: "upload/playlist.go", old: `return redact.Text(b.String())`, new: `return b.String()`},
		{what: "fmt prints a URL's settings", file: "upload/url.go", old: `func (s *urlSource) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }`, new: `func (s *urlSource) Format(f fmt.State, _ rune) { fmt.Fprint(f, *s.urlSettings) }`},
		{what: "the receiver of callbacks logs what it is told", file: "events/receiver.go", old: `r.hide(err.Error(), req.Header)`, new: `err.Error()`},
		{what: "the keys of callbacks are not masked", file: "events/receiver.go", old: `known[i] = string(key)`, new: `known[i] = string(key[:0])`},
	}},
	{number: 62, text: `Memory stays in proportion to the bytes received, for every document and list that comes from outside.`, breaks: []flaw{
		{what: "playlists without end are followed", file: "upload/hls.go", old: `case s.documents > maxDocuments:`, new: `case false:`},
		{what: "every member of an event is kept", file: "events/parse.go", old: `members[name] && `, new: ``},
		{what: "a message of any size is read", file: "events/parse.go", old: `len(message) > MaxBytes`, new: `false`},
	}},
}
