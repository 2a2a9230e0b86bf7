package mediatest

import (
	"cmp"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"time"
)

// A state is a line with the version and the length of the document, the
// document, the bytes of objects and parts in its order, and a SHA-256 of all of
// that in hexadecimal.
const (
	stateVersion        = 1
	stateLine           = "mediatest state %d %d\n"
	maxStateDocument    = 256 << 20
	defaultStateContent = 256 << 20
)

// StateContent sets how many bytes of objects and parts [Server.Save] writes, 256
// MiB by default. When there are more, the largest objects are saved without
// their bytes: their size, CRC-64, ETag and headers stay, as with [Discard].
func StateContent(bytes int64) Option { return func(o *options) { o.kept = max(bytes, 0) } }

// Save writes what the server holds, for [Server.Load] in another process:
// accounts with their keys and policies, assets, jobs and everything else that
// operations have made, buckets, objects, open multipart uploads, credentials
// that were given out, callback settings, events, queues, outcomes, the clock and
// the counts of [Server.Calls]. Options, faults, handlers and the record of
// requests belong to the process and are not part of it.
//
// What is written contains secrets: every access key, and every AuthKey. Write it
// to a temporary file of mode 0600 and rename that. After [Server.Close] Save
// fails if bytes were in the temporary file, see [MemoryLimit].
func (s *Server) Save(w io.Writer) error {
	s.mu.Lock()
	s.settle()
	world, err := s.world()
	s.mu.Unlock()
	defer func() {
		for _, b := range world.blobs() {
			s.vault.release(b.pieces)
		}
	}()
	if err == nil {
		world.choose(s.opts.kept)
		err = s.write(w, world)
	}
	if err != nil {
		return fmt.Errorf("mediatest: save the state: %w", err)
	}
	return nil
}

func (s *Server) write(w io.Writer, world *world) error {
	document, err := json.Marshal(world)
	if err != nil {
		return err
	}
	if len(document) > maxStateDocument {
		return fmt.Errorf("the document has %d bytes, more than %d", len(document), maxStateDocument)
	}
	sum := sha256.New()
	all := io.MultiWriter(w, sum)
	if _, err := fmt.Fprintf(all, stateLine, stateVersion, len(document)); err != nil {
		return err
	}
	if _, err := all.Write(document); err != nil {
		return err
	}
	for _, b := range world.blobs() {
		if !b.Kept {
			continue
		}
		if n, err := io.Copy(all, s.vault.reader(b.pieces)); err != nil || n != b.Size {
			return fmt.Errorf("bytes of an object: %w", cmp.Or(err, io.ErrUnexpectedEOF))
		}
	}
	_, err = io.WriteString(w, hex.EncodeToString(sum.Sum(nil))+"\n")
	return err
}

// world is the document. Its lists are in an order that does not change, so that
// the same world makes the same bytes.
type world struct {
	Skew, Ahead time.Duration
	Started     time.Time
	Swept       time.Time
	Seq         int64
	IDs         *savedIDs `json:",omitempty"`
	Addresses   []string  // where the world has been served
	Accounts    []savedAccount
	Keys        []savedKey
	Providers   []savedProvider
	Instance    savedInstance
	Buckets     []savedBucket
	Uploads     []savedUpload
	Events      []savedEvent
	Queues      map[string]savedQueue
	Outcomes    []savedOutcome
	Spent       map[string]savedSpent
	Nonces      map[string]time.Time
	Calls       map[string]int
}

type (
	savedIDs struct{ Things, Requests []byte }

	savedCredentials struct {
		AccessKeyId, AccessKeySecret string
		SecurityToken                string    `json:",omitempty"`
		Expires                      time.Time `json:",omitzero"`
		Source                       string
	}
	savedKey struct {
		savedCredentials
		Owner                          string // id of the account
		User, Role, Session            string `json:",omitempty"`
		Policy                         *policy
		OnlyBucket, OnlyKey, OnlyBelow string `json:",omitempty"`
	}
	savedAccount struct {
		Id, UserId, Storage string
		Static              savedCredentials
		Roles, Tokens       map[string]string
		Medias              []savedAsset // by creation
		Things              []savedThing
	}
	savedAsset struct {
		Media
		Prefix, Forced     string `json:",omitempty"`
		Complete, NoSource bool
		Ready              time.Time `json:",omitzero"`
		Changed            time.Time
		Polls              int
		Seq                int64
		Made               []savedStream
	}
	savedStream struct {
		Stream
		InBucket, InKey, Job string    `json:",omitempty"`
		Made                 time.Time `json:",omitzero"`
	}
	savedThing struct {
		Service, Kind, Id, By    string
		Values                   map[string]string
		Created, Changed         time.Time
		Due                      time.Time `json:",omitzero"`
		Seq                      int64
		Polls                    int
		Canceled, Done, Fetching bool   `json:",omitempty"`
		Event, Code, Message     string `json:",omitempty"`
		File                     *savedFile
	}
	savedFile struct {
		Bucket, Key string
		There       bool
		Blob        *savedBlob
	}
	savedProvider struct {
		Account, Name string
		Clients       []string
		Key           []byte // PKCS #8
	}
	savedInstance struct {
		Instance
		Secret string
		Keys   string    // access key id
		Issued time.Time `json:",omitzero"`
	}
	savedBucket struct {
		Name, Owner, Region string
		Created             time.Time
		Objects             []savedObject
	}
	savedObject struct {
		Key      string
		ETag     string
		Header   map[string][]string
		Kind     objectKind
		Modified time.Time
		Blob     *savedBlob
	}
	savedUpload struct {
		Id, Bucket, Key string
		Header          map[string][]string
		Initiated       time.Time
		Aborted         bool `json:",omitempty"`
		Parts           []savedPart
	}
	savedPart struct {
		Number   int
		ETag     string
		Modified time.Time
		Blob     *savedBlob
	}
	savedBlob struct {
		Size   int64
		MD5    []byte
		CRC    uint64
		Kept   bool // its bytes follow
		pieces []*piece
	}
	savedEvent struct {
		Event
		Waiting bool   `json:",omitempty"`
		Key     string `json:",omitempty"`
	}
	savedOutcome struct {
		Outcome
		Left int
	}
	savedSpent struct {
		Tokens float64
		At     time.Time
	}
)

// blobs are those of the world, in the order of their bytes.
func (w *world) blobs() []*savedBlob {
	if w == nil {
		return nil
	}
	var all []*savedBlob
	for _, b := range w.Buckets {
		for _, o := range b.Objects {
			all = append(all, o.Blob)
		}
	}
	for _, u := range w.Uploads {
		for _, p := range u.Parts {
			all = append(all, p.Blob)
		}
	}
	for _, acc := range w.Accounts {
		for _, t := range acc.Things {
			if t.File != nil {
				all = append(all, t.File.Blob)
			}
		}
	}
	return all
}

// choose decides whose bytes are written: the smallest first, up to the limit.
func (w *world) choose(limit int64) {
	all := w.blobs()
	slices.SortStableFunc(all, func(a, b *savedBlob) int { return cmp.Compare(a.Size, b.Size) })
	for _, b := range all {
		if limit -= b.Size; limit < 0 {
			return
		}
		b.Kept = b.Size == 0 || len(b.pieces) > 0
	}
}

// world makes the document. The caller holds mu, and releases the pieces.
func (s *Server) world() (*world, error) {
	w := &world{
		Skew: s.skew, Ahead: s.ahead, Started: s.started, Swept: s.swept, Seq: s.seq, IDs: s.ids.saved(), Addresses: s.addresses(),
		Queues: s.savedQueues(), Nonces: maps.Clone(s.nonces), Calls: maps.Clone(s.calls), Spent: map[string]savedSpent{},
		Instance: savedInstance{Instance: s.instance.Instance, Secret: s.instance.secret, Issued: s.instance.issued},
	}
	if s.instance.keys != nil {
		w.Instance.Keys = s.instance.keys.AccessKeyId
	}
	for name, b := range s.spent {
		w.Spent[name] = savedSpent{b.tokens, b.at}
	}
	for _, e := range s.events {
		w.Events = append(w.Events, savedEvent{*e, e.waiting, string(e.key)})
	}
	for _, o := range s.outcomes {
		w.Outcomes = append(w.Outcomes, savedOutcome{o.Outcome, o.left})
	}
	for _, acc := range s.accounts {
		w.Accounts = append(w.Accounts, s.savedAccount(acc))
	}
	s.saveKeys(w)
	s.saveStorage(w)
	return w, s.saveProviders(w)
}

func savedCredentialsOf(k *key) savedCredentials {
	return savedCredentials{k.AccessKeyId, k.AccessKeySecret, k.SecurityToken, k.Expires, k.Source}
}

// forgotten is when keys and nonces that are no longer valid are not saved.
const forgotten = 24 * time.Hour

func (s *Server) saveKeys(w *world) {
	for _, id := range slices.Sorted(maps.Keys(s.keys)) {
		k := s.keys[id]
		if s.account(k.owner.id) != k.owner || k.expired(s.now().Add(-forgotten)) {
			continue
		}
		w.Keys = append(w.Keys, savedKey{
			savedCredentials: savedCredentialsOf(k), Owner: k.owner.id, User: k.user, Role: k.role, Session: k.session, Policy: k.policy,
			OnlyBucket: k.bucket, OnlyKey: k.object, OnlyBelow: k.prefix,
		})
	}
}

func (s *Server) savedAccount(acc *Account) savedAccount {
	static := acc.static()
	a := savedAccount{
		Id: acc.id, UserId: acc.userID, Storage: acc.storage, Static: savedCredentialsOf(&key{Credentials: static}),
		Roles: maps.Clone(acc.roles), Tokens: maps.Clone(acc.tokens),
	}
	for _, m := range acc.order {
		saved := savedAsset{
			Media: m.Media, Prefix: m.prefix, Forced: m.forced, Complete: m.complete, NoSource: m.noSource, Ready: m.ready, Changed: m.changed,
			Polls: m.polls, Seq: m.seq,
		}
		saved.Params = cloneValues(m.Params)
		for _, st := range m.streams {
			saved.Made = append(saved.Made, savedStream{st.Stream, st.bucket, st.key, st.job, st.made})
		}
		a.Medias = append(a.Medias, saved)
	}
	for _, kind := range slices.Sorted(maps.Keys(acc.made)) {
		for _, id := range slices.Sorted(maps.Keys(acc.made[kind])) {
			a.Things = append(a.Things, s.savedThing(acc.made[kind][id]))
		}
	}
	return a
}

func (s *Server) savedThing(t *thing) savedThing {
	saved := savedThing{
		Service: t.family.service, Kind: t.family.kind, Id: t.id, By: t.by, Values: maps.Clone(t.values), Created: t.created, Changed: t.changed,
		Due: t.due, Seq: t.seq, Polls: t.polls, Canceled: t.canceled, Done: t.settled, Fetching: t.working, Event: t.event, Code: t.code, Message: t.message,
	}
	if f := t.file; f != nil {
		saved.File = &savedFile{f.bucket, f.key, f.there, s.savedBlob(f.blob)}
	}
	return saved
}

func (s *Server) savedBlob(b blob) *savedBlob {
	return &savedBlob{Size: b.size, MD5: slices.Clone(b.md5[:]), CRC: b.crc, pieces: s.vault.retain(b.pieces)}
}

func (s *Server) saveStorage(w *world) {
	for _, name := range slices.Sorted(maps.Keys(s.buckets)) {
		b := s.buckets[name]
		if s.account(b.owner.id) != b.owner {
			continue // of an account from before a Reset
		}
		saved := savedBucket{Name: name, Owner: b.owner.id, Region: b.region, Created: b.created}
		for _, key := range slices.Sorted(maps.Keys(b.objects)) {
			o := b.objects[key]
			saved.Objects = append(saved.Objects, savedObject{key, o.etag, o.header.Clone(), o.kind, o.modified, s.savedBlob(o.blob)})
		}
		w.Buckets = append(w.Buckets, saved)
	}
	for _, id := range slices.Sorted(maps.Keys(s.uploads)) {
		u := s.uploads[id]
		if !u.open() || s.buckets[u.bucket] == nil {
			continue
		}
		saved := savedUpload{Id: u.id, Bucket: u.bucket, Key: u.key, Header: u.header.Clone(), Initiated: u.initiated, Aborted: u.aborted}
		for _, p := range u.sorted() {
			saved.Parts = append(saved.Parts, savedPart{p.number, p.etag, p.modified, s.savedBlob(p.blob)})
		}
		w.Uploads = append(w.Uploads, saved)
	}
}

func (s *Server) saveProviders(w *world) error {
	for _, arn := range slices.Sorted(maps.Keys(s.providers)) {
		p := s.providers[arn]
		if s.account(p.acc.id) != p.acc {
			continue
		}
		der, err := x509.MarshalPKCS8PrivateKey(p.key)
		if err != nil {
			return fmt.Errorf("the key of an identity provider: %w", err)
		}
		w.Providers = append(w.Providers, savedProvider{p.acc.id, p.name, slices.Clone(p.clients), der})
	}
	return nil
}

func (i *ids) saved() *savedIDs {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.things == nil {
		return nil
	}
	things, errThings := i.things.MarshalBinary()
	requests, errRequests := i.requests.MarshalBinary()
	if errors.Join(errThings, errRequests) != nil {
		return nil // it never fails
	}
	return &savedIDs{things, requests}
}

const maxAddresses = 1000

// addresses are those at which the world was served, this server's last.
func (s *Server) addresses() []string {
	u, err := url.Parse(s.URL)
	if err != nil {
		return s.former // it is one
	}
	all := slices.DeleteFunc(slices.Clone(s.former), func(a string) bool { return a == u.Host })
	all = append(all, u.Host)
	return all[max(len(all)-maxAddresses, 0):]
}
