package mediatest

import (
	"bytes"
	"crypto/ecdsa"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/url"
	"reflect"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// notSaved are the fields that Save leaves out, and why.
var notSaved = map[string]string{
	"Server.URL": "of the process", "Server.opts": "options", "Server.http": "of the process", "Server.client": "of the process", "Server.away": "of the process",
	"Server.report": "of the process", "Server.done": "of the process", "Server.serving": "of the process", "Server.conns": "of the process",
	"Server.working": "of the process", "Server.life": "of the process", "Server.end": "of the process", "Server.control": "an option",
	"Server.callbackKey": "made anew; receivers ask for it with every callback",
	"Server.logMu":       "a mutex", "Server.mu": "a mutex", "Server.vault": "its bytes are compared as those of blobs", "Server.closed": "of the process",
	"Server.timers": "made anew, see TestState_TimersGoOn", "Server.custom": "functions of the program", "Server.faults": "orders of the program",
	"Server.requests": "the record of the process", "Server.gone": "of the record", "Server.former": "grows by an address, see TestState_AddressesFollow",
	"Server.first": "is the first of accounts", "Server.queueNews": "wakes requests of the process",
	"Media.Streams": "empty in an asset, which has stream values",
	"Account.srv":   "the server itself", "upload.receiving": "requests on their way", "ids.mu": "a mutex",
	"family.*": "tables of the program; compared by their address",
}

// TestState_EveryFieldIsSaved gives every field of everything that a server holds
// a value, and compares what Load makes of it.
func TestState_EveryFieldIsSaved(t *testing.T) {
	t.Parallel()
	srv, other := New(t, InMemory(), Seed(1)), New(t, InMemory(), Seed(2))
	oneOfEach(t, srv)
	f := &filler{t: t, seen: map[unsafe.Pointer]bool{}, types: map[string]bool{}}
	f.fill("Server", reflect.ValueOf(srv).Elem())
	require.Subset(t, f.types, map[string]bool{
		"Account": true, "asset": true, "stream": true, "thing": true, "file": true, "key": true, "policy": true, "bucket": true, "object": true, "blob": true,
		"upload": true, "part": true, "Event": true, "outcome": true, "queue": true, "queueMessage": true, "bucketOfCalls": true, "OIDCProvider": true, "instance": true, "ids": true,
	})

	var state bytes.Buffer
	require.NoError(t, srv.Save(&state))
	require.NoError(t, other.Load(bytes.NewReader(state.Bytes())))
	c := &comparer{t: t, a: srv, b: other, seen: map[unsafe.Pointer]bool{}}
	c.compare("Server", reflect.ValueOf(srv).Elem(), reflect.ValueOf(other).Elem())
	require.Same(t, other.accounts[0], other.Account())

	var again bytes.Buffer
	require.NoError(t, other.Save(&again))
	require.Equal(t, state.String(), again.String())
}

// oneOfEach puts one of everything into a server.
func oneOfEach(t testing.TB, srv *Server) {
	acc := srv.Account()
	srv.mu.Lock()
	defer srv.mu.Unlock()
	p, err := parsePolicy(`{"Statement":[{"Effect":"Allow","Action":["vod:*"],"Resource":"*"}]}`)
	require.NoError(t, err)
	acc.newUser(p)
	k := srv.issue(key{owner: acc, user: "u", role: "r", session: "s", policy: p, bucket: "b", object: "o", prefix: "p"}, time.Hour)
	acc.roles["r"], acc.tokens["t"] = "1", "2"
	srv.instance.keys = k
	a := acc.add(Media{MediaId: "m", Params: url.Values{"p": {"v"}}})
	a.streams = []*stream{{}}
	data, err := srv.blobOf([]byte("bytes of an object"))
	require.NoError(t, err)
	part1, err := srv.blobOf([]byte("bytes of a part"))
	require.NoError(t, err)
	fetched, err := srv.blobOf([]byte("bytes of a job"))
	require.NoError(t, err)
	jobs := urlUploads["vod"]
	acc.things(jobs)["u"] = &thing{family: jobs, id: "u", values: map[string]string{"a": "b"}, code: "Fail", file: &file{blob: fetched}}
	srv.buckets[acc.storage].objects["k"] = &object{blob: data, header: map[string][]string{"X-Oss-Meta-A": {"b"}}, kind: multipartObject}
	srv.uploads["up"] = &upload{id: "up", bucket: acc.storage, header: map[string][]string{"X-Oss-Meta-A": {"b"}}, parts: map[int]*part{3: {blob: part1, number: 3}}}
	srv.events, srv.outcomes = []*Event{{}}, []*outcome{{}}
	srv.queues["q"] = &queue{settings: QueueSettings{VisibilityTimeout: time.Minute}, messages: []*queueMessage{{}}}
	srv.spent["s"], srv.nonces["n"], srv.calls["c"] = &bucketOfCalls{}, time.Now().UTC(), 4
	srv.mu.Unlock()
	acc.NewOIDCProvider("idp", "client")
	srv.mu.Lock()
}

// settable is v, whether its field is exported or not.
func settable(v reflect.Value) reflect.Value {
	return reflect.NewAt(v.Type(), unsafe.Pointer(v.UnsafeAddr())).Elem()
}

// apart are the types that are compared whole.
func apart(v reflect.Value) bool {
	switch v.Interface().(type) {
	case time.Time, *family, *ecdsa.PrivateKey, *mathrand.ChaCha8, provider, []*piece:
		return true
	}
	return false
}

func left(structure, field string) bool {
	return notSaved[structure+"."+field] != "" || notSaved[structure+".*"] != ""
}

// filler gives all that is zero a value.
type filler struct {
	t     *testing.T
	n     int64
	seen  map[unsafe.Pointer]bool
	types map[string]bool
}

func (f *filler) fill(path string, v reflect.Value) {
	f.n++
	if at, ok := v.Interface().(time.Time); ok {
		if at.IsZero() {
			v.Set(reflect.ValueOf(time.Now().UTC().Add(time.Duration(f.n) * time.Second)))
		}
		return
	}
	if apart(v) {
		require.False(f.t, v.IsZero(), "%s has no value in oneOfEach", path)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		f.types[v.Type().Name()] = true
		for i := range v.NumField() {
			if name := v.Type().Field(i).Name; !left(v.Type().Name(), name) {
				f.fill(path+"."+name, settable(v.Field(i)))
			}
		}
	case reflect.Pointer:
		if !v.IsNil() && !f.seen[v.UnsafePointer()] {
			f.seen[v.UnsafePointer()] = true
			f.fill(path, v.Elem())
		}
	case reflect.Slice, reflect.Array:
		if v.Kind() == reflect.Slice && v.Len() == 0 { // of scalars
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		}
		for i := range v.Len() {
			f.fill(fmt.Sprintf("%s[%d]", path, i), v.Index(i))
		}
	case reflect.Map:
		require.NotZero(f.t, v.Len(), "%s is empty in oneOfEach", path)
		for _, k := range v.MapKeys() {
			if held := v.MapIndex(k); held.Kind() == reflect.Pointer || held.Kind() == reflect.Map {
				f.fill(path+"["+k.String()+"]", held)
			}
		}
	default:
		f.scalar(path, v)
	}
}

func (f *filler) scalar(path string, v reflect.Value) {
	if !v.IsZero() {
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.String:
		v.SetString(fmt.Sprintf("x%d", f.n))
	case reflect.Float64:
		v.SetFloat(float64(f.n))
	case reflect.Int, reflect.Int64:
		v.SetInt(f.n)
	case reflect.Uint8, reflect.Uint64:
		v.SetUint(uint64(f.n) % 251)
	default:
		f.t.Errorf("%s: the test cannot fill a %s", path, v.Type())
	}
}

// comparer compares two servers field by field.
type comparer struct {
	t    *testing.T
	a, b *Server
	seen map[unsafe.Pointer]bool
}

func (c *comparer) compare(path string, a, b reflect.Value) {
	if apart(a) {
		c.whole(path, a.Interface(), b.Interface())
		return
	}
	switch a.Kind() {
	case reflect.Struct:
		for i := range a.NumField() {
			if name := a.Type().Field(i).Name; !left(a.Type().Name(), name) {
				c.compare(path+"."+name, settable(a.Field(i)), settable(b.Field(i)))
			}
		}
	case reflect.Pointer:
		if !a.IsNil() && c.seen[a.UnsafePointer()] {
			return
		}
		c.seen[a.UnsafePointer()] = true
		require.Equal(c.t, a.IsNil(), b.IsNil(), "%s is not saved", path)
		if a.IsNil() {
			return
		}
		c.compare(path, a.Elem(), b.Elem())
	case reflect.Slice, reflect.Array:
		require.Equal(c.t, a.Len(), b.Len(), "%s is not saved", path)
		for i := range a.Len() {
			c.compare(fmt.Sprintf("%s[%d]", path, i), a.Index(i), b.Index(i))
		}
	case reflect.Map:
		require.Equal(c.t, a.Len(), b.Len(), "%s is not saved", path)
		for _, k := range a.MapKeys() {
			require.True(c.t, b.MapIndex(k).IsValid(), "%s[%v] is not saved", path, k)
			c.compare(fmt.Sprintf("%s[%v]", path, k), addressable(a.MapIndex(k)), addressable(b.MapIndex(k)))
		}
	default:
		require.Equal(c.t, a.Interface(), b.Interface(), "%s is not saved", path)
	}
}

func addressable(v reflect.Value) reflect.Value {
	p := reflect.New(v.Type()).Elem()
	p.Set(v)
	return p
}

func (c *comparer) whole(path string, a, b any) {
	switch a := a.(type) {
	case time.Time:
		require.True(c.t, a.Equal(b.(time.Time)), "%s is not saved: %v, %v", path, a, b)
	case *family:
		require.Same(c.t, a, b, path)
	case *ecdsa.PrivateKey:
		require.True(c.t, a.Equal(b.(*ecdsa.PrivateKey)), "%s is not saved", path)
	case *mathrand.ChaCha8:
		require.Equal(c.t, stateOf(c.t, a), stateOf(c.t, b.(*mathrand.ChaCha8)), "%s is not saved", path)
	case provider:
		require.Equal(c.t, a(), b.(provider)(), "%s is not saved", path)
	case []*piece:
		require.Equal(c.t, c.a.bytesOf(c.t, a), c.b.bytesOf(c.t, b.([]*piece)), "%s is not saved", path)
	}
}

func (s *Server) bytesOf(t *testing.T, pieces []*piece) string {
	data, err := io.ReadAll(s.vault.reader(pieces))
	require.NoError(t, err)
	return string(data)
}

func stateOf(t *testing.T, c *mathrand.ChaCha8) []byte {
	state, err := c.MarshalBinary()
	require.NoError(t, err)
	return state
}
