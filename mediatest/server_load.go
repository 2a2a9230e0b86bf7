package mediatest

import (
	"bufio"
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/md5"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"hash/crc64"
	"io"
	"maps"
	"net/http"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
)

// Load replaces what the server holds with a state that [Server.Save] wrote. Time
// has gone on meanwhile: a job that was due an hour after it was saved ends an
// hour after that. [Server.HTTPClient] takes requests for the addresses at which
// the state was served before to this server, so that endpoints and URLs that
// clients kept still work.
//
// Call it before [Server.Config] and [Server.Account], which then are those of the
// state; an [Account] from before belongs to what was replaced. Requests on their
// way find nothing of what they asked for. If Load fails, nothing has changed. The
// keys of the [AccessKey] option are valid in addition to those of the state.
func (s *Server) Load(r io.Reader) error {
	world, err := s.read(r)
	var built *built
	if err == nil {
		built, err = s.build(world)
	}
	if err != nil {
		for _, b := range world.blobs() {
			if b != nil {
				s.vault.release(b.pieces)
			}
		}
		return fmt.Errorf("mediatest: load the state: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errors.New("mediatest: load the state: the server is closed")
	}
	s.replace(world, built)
	return nil
}

// read reads a state. On an error the pieces of the world are the caller's too.
func (s *Server) read(r io.Reader) (*world, error) {
	in, sum := bufio.NewReader(r), sha256.New()
	line, err := in.ReadSlice('\n')
	if err != nil {
		return nil, errors.New("it is empty, or no state")
	}
	var version, length int
	if _, err := fmt.Sscanf(string(line), stateLine, &version, &length); err != nil || fmt.Sprintf(stateLine, version, length) != string(line) {
		return nil, errors.New("it is no state")
	}
	if version != stateVersion {
		return nil, fmt.Errorf("it has version %d, this mediatest reads version %d", version, stateVersion)
	}
	if length < 0 || length > maxStateDocument {
		return nil, errors.New("the document is too long")
	}
	sum.Write(line)
	document, err := io.ReadAll(io.LimitReader(in, int64(length)))
	if err != nil || len(document) != length {
		return nil, fmt.Errorf("it is cut off: %w", cmp.Or(err, io.ErrUnexpectedEOF))
	}
	sum.Write(document)
	var w world
	if err := json.Unmarshal(document, &w); err != nil {
		return nil, errors.New("the document is no JSON of a state")
	}
	for _, b := range w.blobs() {
		if err := s.readBlob(in, sum, b); err != nil {
			return &w, err
		}
	}
	trailer, err := io.ReadAll(io.LimitReader(in, 2*sha256.Size+2))
	if err != nil || string(trailer) != hex.EncodeToString(sum.Sum(nil))+"\n" {
		return &w, errors.New("it is damaged or cut off: the checksum at its end is not that of the rest")
	}
	return &w, nil
}

// readBlob reads the bytes of one object into the vault.
func (s *Server) readBlob(in io.Reader, sum hash.Hash, b *savedBlob) error {
	if b == nil || b.Size < 0 || len(b.MD5) != md5.Size {
		return errors.New("an object or a part is not described")
	}
	if !b.Kept {
		return nil
	}
	crc, held := crc64.New(crcTable), s.vault.writer(b.Size)
	sinks := []io.Writer{sum, crc}
	if !s.opts.discard {
		sinks = append(sinks, held)
	}
	n, err := io.Copy(io.MultiWriter(sinks...), io.LimitReader(in, b.Size))
	b.pieces = held.pieces
	switch {
	case err != nil:
		return fmt.Errorf("bytes of an object: %w", err)
	case n != b.Size:
		return fmt.Errorf("bytes of an object: it is cut off: %w", io.ErrUnexpectedEOF)
	case crc.Sum64() != b.CRC:
		return errors.New("bytes of an object: the CRC-64 is another one")
	}
	return nil
}

// built is a world as a server has it.
type built struct {
	accounts  []*Account
	keys      map[string]*key
	buckets   map[string]*bucket
	uploads   map[string]*upload
	providers map[string]*OIDCProvider
	instance  instance
	events    []*Event
	outcomes  []*outcome
	spent     map[string]*bucketOfCalls
	ids       *ids
}

var errState = errors.New("what the document says does not fit together")

// build checks a world and makes the server's form of it, but changes nothing.
func (s *Server) build(w *world) (*built, error) {
	b := &built{keys: map[string]*key{}, buckets: map[string]*bucket{}, uploads: map[string]*upload{}, providers: map[string]*OIDCProvider{}, spent: map[string]*bucketOfCalls{}}
	for _, saved := range w.Accounts {
		acc, err := s.buildAccount(saved)
		if err != nil || b.account(acc.id) != nil {
			return nil, cmp.Or(err, errState)
		}
		b.accounts = append(b.accounts, acc)
	}
	if len(b.accounts) == 0 || w.Ahead < 0 {
		return nil, errState
	}
	for _, build := range []func(*world) error{b.buildKeys, b.buildStorage, b.buildUploads, b.buildProviders, b.buildRest} {
		if err := build(w); err != nil {
			return nil, err
		}
	}
	var err error
	b.ids, err = s.buildIDs(w.IDs)
	return b, err
}

func (b *built) account(id string) *Account {
	for _, acc := range b.accounts {
		if acc.id == id {
			return acc
		}
	}
	return nil
}

func (c savedCredentials) built() credentials.Credentials {
	return credentials.Credentials{AccessKeyId: c.AccessKeyId, AccessKeySecret: c.AccessKeySecret, SecurityToken: c.SecurityToken, Expires: c.Expires, Source: c.Source}
}

func (s *Server) buildAccount(saved savedAccount) (*Account, error) {
	static := saved.Static.built()
	acc := &Account{
		srv: s, id: saved.Id, userID: saved.UserId, storage: saved.Storage, static: func() credentials.Credentials { return static },
		roles: filled(saved.Roles), tokens: filled(saved.Tokens), medias: map[string]*asset{}, made: map[string]map[string]*thing{},
	}
	if !accountID.MatchString(acc.id) || static.AccessKeyId == "" || static.AccessKeySecret == "" || acc.storage == "" {
		return nil, errState
	}
	for _, m := range saved.Medias {
		if m.MediaId == "" || acc.medias[m.MediaId] != nil {
			return nil, errState
		}
		a := &asset{
			Media: m.Media, prefix: m.Prefix, forced: m.Forced, complete: m.Complete, noSource: m.NoSource, ready: m.Ready, changed: m.Changed,
			polls: m.Polls, seq: m.Seq,
		}
		a.Params, a.Media.Streams = filled(a.Params), nil
		for _, st := range m.Made {
			a.streams = append(a.streams, &stream{st.Stream, st.InBucket, st.InKey, st.Job, st.Made})
		}
		acc.medias[a.MediaId] = a
		acc.order = append(acc.order, a)
	}
	for _, t := range saved.Things {
		f := familyOf(t.Service, t.Kind)
		if t.Id == "" || acc.things(f)[t.Id] != nil {
			return nil, errState
		}
		acc.things(f)[t.Id] = t.built(f)
	}
	return acc, nil
}

func (t savedThing) built(f *family) *thing {
	made := &thing{
		family: f, id: t.Id, by: t.By, values: filled(t.Values), created: t.Created, changed: t.Changed, due: t.Due, seq: t.Seq, polls: t.Polls,
		canceled: t.Canceled, settled: t.Done, event: t.Event, code: t.Code, message: t.Message,
	}
	if t.File != nil {
		made.working = t.Fetching
		made.file = &file{t.File.Bucket, t.File.Key, t.File.Blob.built(), t.File.There}
	}
	return made
}

func (b *savedBlob) built() blob {
	return blob{pieces: b.pieces, size: b.Size, md5: [md5.Size]byte(b.MD5), crc: b.CRC}
}

// filled is the map, or an empty one.
func filled[M ~map[K]V, K comparable, V any](m M) M {
	if m == nil {
		return M{}
	}
	return m
}

// familyOf finds the family of a service and a kind. Those without code and
// tables, such as settings, are all alike.
func familyOf(service, kind string) *family {
	if f := familyByName[service+"."+kind]; f != nil {
		return f
	}
	return &family{service: service, kind: kind}
}

var familyByName = func() map[string]*family {
	all := map[string]*family{}
	for _, f := range append(append([]*family{
		mediaMarks, indexed, audits, transcodeTasks, transcodeJobs, snapshotJobs, dynamicImageJobs, categoryFamily("vod"), categoryFamily("ice"),
		urlUploads["vod"], urlUploads["ice"], streamUploads["vod"], streamUploads["ice"],
	}, iceFamilies...), vodFamilies...) {
		all[f.service+"."+f.kind] = f
	}
	return all
}()

func (b *built) buildKeys(w *world) error {
	for _, saved := range w.Keys {
		k := &key{
			Credentials: saved.built(), owner: b.account(saved.Owner), user: saved.User, role: saved.Role, session: saved.Session, policy: saved.Policy,
			bucket: saved.OnlyBucket, object: saved.OnlyKey, prefix: saved.OnlyBelow,
		}
		if k.owner == nil || k.AccessKeyId == "" || k.AccessKeySecret == "" || b.keys[k.AccessKeyId] != nil || k.policy != nil && k.policy.check() != nil {
			return errState
		}
		b.keys[k.AccessKeyId] = k
	}
	b.instance = instance{Instance: w.Instance.Instance, secret: w.Instance.Secret, keys: b.keys[w.Instance.Keys], issued: w.Instance.Issued}
	if b.instance.secret == "" || b.instance.Role != "" && !instanceRole.MatchString(b.instance.Role) {
		return errState
	}
	return nil
}

func (b *built) buildStorage(w *world) error {
	for _, saved := range w.Buckets {
		made := &bucket{owner: b.account(saved.Owner), region: saved.Region, created: saved.Created, objects: map[string]*object{}}
		if made.owner == nil || saved.Name == "" || b.buckets[saved.Name] != nil {
			return errState
		}
		for _, o := range saved.Objects {
			if o.Key == "" || made.objects[o.Key] != nil || o.Kind < normalObject || o.Kind > appendableObject {
				return errState
			}
			made.objects[o.Key] = &object{blob: o.Blob.built(), etag: o.ETag, header: http.Header(o.Header), kind: o.Kind, modified: o.Modified}
		}
		b.buckets[saved.Name] = made
	}
	for _, acc := range b.accounts {
		if managed := b.buckets[acc.storage]; managed == nil || managed.owner != acc {
			return errState
		}
	}
	return nil
}

func (b *built) buildUploads(w *world) error {
	for _, saved := range w.Uploads {
		u := &upload{id: saved.Id, bucket: saved.Bucket, key: saved.Key, header: filled(http.Header(saved.Header)), initiated: saved.Initiated, aborted: saved.Aborted, parts: map[int]*part{}}
		if u.id == "" || u.key == "" || b.uploads[u.id] != nil || b.buckets[u.bucket] == nil {
			return errState
		}
		for _, p := range saved.Parts {
			if p.Number < 1 || p.Number > maxParts || u.parts[p.Number] != nil {
				return errState
			}
			u.parts[p.Number] = &part{blob: p.Blob.built(), number: p.Number, etag: p.ETag, modified: p.Modified}
		}
		b.uploads[u.id] = u
	}
	return nil
}

func (b *built) buildProviders(w *world) error {
	for _, saved := range w.Providers {
		parsed, err := x509.ParsePKCS8PrivateKey(saved.Key)
		key, ok := parsed.(*ecdsa.PrivateKey)
		p := &OIDCProvider{acc: b.account(saved.Account), name: saved.Name, clients: saved.Clients, key: key}
		if err != nil || !ok || key.Curve != elliptic.P256() || p.acc == nil || b.providers[p.Arn()] != nil {
			return errState
		}
		b.providers[p.Arn()] = p
	}
	return nil
}

func (b *built) buildRest(w *world) error {
	for _, saved := range w.Events {
		e := saved.Event
		e.waiting, e.key = saved.Waiting && e.URL != "", alimedia.Secret(saved.Key)
		b.events = append(b.events, &e)
	}
	for _, o := range w.Outcomes {
		b.outcomes = append(b.outcomes, &outcome{o.Outcome, o.Left})
	}
	for name, spent := range w.Spent {
		b.spent[name] = &bucketOfCalls{spent.Tokens, spent.At}
	}
	return nil
}

// buildIDs continues the ids of the state where this server has a seed too.
func (s *Server) buildIDs(saved *savedIDs) (*ids, error) {
	made := newIDs(s.opts.seed)
	if made.things == nil || saved == nil {
		return made, nil
	}
	if made.things.UnmarshalBinary(saved.Things) != nil || made.requests.UnmarshalBinary(saved.Requests) != nil {
		return nil, errState
	}
	return made, nil
}

// replace puts a world in the place of what is there, and goes on with what was
// under way. The caller holds mu.
func (s *Server) replace(w *world, b *built) {
	s.empty()
	s.skew, s.ahead, s.started, s.swept, s.seq, s.former = w.Skew, w.Ahead, w.Started, w.Swept, w.Seq, w.Addresses
	s.queues, s.nonces, s.calls = buildQueues(w.Queues), filled(w.Nonces), filled(w.Calls)
	s.accounts, s.keys, s.buckets, s.uploads, s.providers = b.accounts, b.keys, b.buckets, b.uploads, b.providers
	s.instance, s.events, s.outcomes, s.spent = b.instance, b.events, b.outcomes, b.spent
	s.ids.take(b.ids)
	first := s.accounts[0]
	if keys := s.opts.keys; keys.AccessKeyId != "" {
		first.static = func() credentials.Credentials { return keys }
		s.keys[keys.AccessKeyId] = &key{Credentials: keys, owner: first, user: userName}
	}
	s.first.Store(first)
	now := s.now()
	maps.DeleteFunc(s.nonces, func(_ string, used time.Time) bool { return now.Sub(used) > forgotten })
	for _, acc := range s.accounts {
		for _, kind := range acc.made {
			for _, t := range kind {
				switch {
				case t.working:
					s.fetch(t, cmp.Or(t.values["UploadURL"], t.values["StreamURL"]))
				case t.family.states != "" && !t.settled:
					s.at(t.due)
				}
			}
		}
	}
	for _, e := range s.events {
		if e.waiting {
			s.post(e, e.URL, string(e.key))
		}
	}
	s.settle()
}

func (i *ids) take(other *ids) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.things, i.requests = other.things, other.requests
}
