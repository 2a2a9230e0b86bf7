package upload

import (
	"bytes"
	"crypto/md5"
	"encoding/json"
	"fmt"
	"hash/crc64"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/upload/internal/checkpoint"
)

// killKind is a kind of upload that is killed.
type killKind struct {
	target string // of the job
	file   string
	// once: there is never more than one asset. Otherwise one is lost when the
	// process dies between the service's making of it and the record of it.
	once bool
	// recreate: the asset of an earlier run cannot be resumed before its
	// object is stored, and WithRecreate makes another.
	recreate bool
	// streams of an asset are made, not assets.
	streams  bool
	register string // the operation that has to succeed once; the repetition of a ClientToken is not counted
}

var killKinds = []killKind{
	{target: "VODVideo", file: "movie.mp4", once: true},
	{target: "VODVideo", file: "index.m3u8", once: true},
	{target: "ICEMedia", file: "movie.mp4"},
	{target: "ICEStream", file: "movie.mp4", recreate: true, streams: true},
	{target: "VODImage", file: "cover.png", recreate: true},
	{target: "VODAttachedMedia", file: "logo.gif", recreate: true},
	{target: "YikeAsset", file: "movie.mp4", once: true, register: "RegisterYikeAssetMediaInfo"},
	{target: "RegisterMediaInfo", file: "movie.mp4", once: true, register: "RegisterMediaInfo"},
	{target: "RegisterMediaStream", file: "movie.mp4", once: true, streams: true, register: "RegisterMediaStream"},
	{target: "RegisterMedia", file: "movie.mp4", once: true},
}

// TestUpload_B27_Kill kills a process at random moments, again and again, until
// its upload is through. It is not parallel to the others: its processes are to
// have the machine.
func TestUpload_B27_Kill(t *testing.T) {
	var kills, lost, recreated atomic.Int64
	t.Run("rounds", func(t *testing.T) {
		for round := range killRounds {
			kind := killKinds[round%len(killKinds)]
			t.Run(fmt.Sprint(round, kind.target), func(t *testing.T) {
				t.Parallel()
				k := newKilling(t, kind, round)
				for !k.try() {
				}
				k.check()
				kills.Add(int64(k.kills))
				lost.Add(int64(k.lost))
				recreated.Add(int64(k.recreated))
			})
		}
	})
	t.Logf("%d rounds, %d kills; %d assets whose response was lost, %d made again with leave", killRounds, kills.Load(), lost.Load(), recreated.Load())
	require.Positive(t, kills.Load())
}

// killing is an upload that is killed until it is through.
type killing struct {
	t     *testing.T
	srv   *mediatest.Server
	relay *relay
	kind  killKind
	job   job
	files map[string][]byte // what is to be stored, by name

	tries, kills, lost, recreated int

	known string // what the checkpoint says was made
	step  checkpoint.Step
}

func newKilling(t *testing.T, kind killKind, round int) *killing {
	srv := mediatest.New(t)
	srv.CreateBucket("own-bucket")
	srv.Fault(mediatest.Fault{Times: mediatest.Always, Delay: 2 * time.Millisecond})
	k := &killing{t: t, srv: srv, relay: newRelay(t, srv), kind: kind}
	data := random(700*kib + round)
	if (round+round/len(killKinds))%4 == 3 {
		data = data[:150*kib] // a single put
	}
	k.files = map[string][]byte{kind.file: data}
	if strings.HasSuffix(kind.file, ".m3u8") {
		k.files = map[string][]byte{
			kind.file: []byte("#EXTM3U\n#EXTINF:4,\n1.ts\n#EXTINF:4,\n2.ts\n#EXTINF:4,\n3.ts\n#EXTINF:4,\n4.ts\n"),
			"1.ts":    data[:30*kib], "2.ts": data[10*kib : 110*kib], "3.ts": data[:50*kib], "4.ts": data,
		}
	}
	dir := t.TempDir()
	for name, data := range k.files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), data, 0o600))
	}
	k.job = newJob(t, srv, k.relay.url(), kind.target, filepath.Join(dir, kind.file))
	k.job.Recreate = kind.recreate
	if kind.streams {
		k.job.MediaId = srv.AddMedia(mediatest.Media{Service: "ice", Bucket: srv.StorageBucket(), Key: "video/source.mp4"})
	}
	return k
}

// made is an asset or a stream in the service.
type made struct {
	id, bucket, key string
	complete        bool
}

func (k *killing) made() (all []made) {
	for _, m := range k.srv.Medias() {
		if !k.kind.streams {
			all = append(all, made{m.MediaId, m.Bucket, m.Key, m.Size > 0})
		}
		for _, s := range m.Streams {
			bucket := k.srv.StorageBucket()
			if strings.Contains(s.URL, "own-bucket") {
				bucket = "own-bucket"
			}
			all = append(all, made{s.URL, bucket, s.URL[strings.Index(s.URL, ".com/")+5:], s.Complete})
		}
	}
	return all
}

// try lets a process run and reports whether the upload is through.
func (k *killing) try() (through bool) {
	require.Less(k.t, k.tries, 100, "it never gets through")
	before, known, was := len(k.made()), k.known, k.step
	exited := k.run()
	k.relay.quiet()

	left, ok := k.saved()
	k.step, k.known = left.Step, left.MediaID
	if k.kind.streams {
		k.known = left.FileURL
	}
	all := k.made()
	if !ok && len(all) > 0 && all[len(all)-1].complete { // a process may die with all done and nobody told
		through, k.known = true, all[len(all)-1].id
	}
	require.True(k.t, through || !exited, "an upload that was not killed is not through")

	fresh := all[before:]
	if k.kind.once {
		require.LessOrEqual(k.t, len(all), 1, "another asset")
		return through
	}
	if known != "" {
		if !k.kind.recreate || was == checkpoint.Stored || was == checkpoint.Registered {
			require.Empty(k.t, fresh, "the checkpoint has an asset, and another is made")
			require.Equal(k.t, known, k.known)
		} else if k.known != known {
			k.recreated++
		}
	}
	require.LessOrEqual(k.t, len(fresh), 1, "one run makes one asset")
	for _, m := range fresh {
		if m.id != k.known {
			k.lost++ // the process died before it knew
			require.False(k.t, m.complete, "an asset that nobody knows of is complete")
		}
	}
	return through
}

// run starts a process and kills it at a random moment, unless it is through
// before.
func (k *killing) run() (exited bool) {
	// The clock runs from the first request: a process takes its time to
	// start. The more often one died the longer the next may live.
	connected := k.relay.next()
	c := k.job.start(k.t)
	window := float64(30*time.Millisecond) * math.Pow(1.15, float64(k.tries))
	k.tries++
	select {
	case <-connected:
	case <-c.exited:
	}
	timer := time.NewTimer(time.Duration(rand.Float64() * window))
	defer timer.Stop()
	select {
	case <-c.exited:
		out := c.outcome(k.t)
		require.Empty(k.t, out.Error)
		return true
	case <-timer.C:
		c.kill()
		k.kills++
		return false
	}
}

// saved is what the dead process left, and is moved into the past: the
// fake finds at once what was registered, so no time has to pass for that.
func (k *killing) saved() (checkpoint.State, bool) {
	names, err := filepath.Glob(filepath.Join(k.job.Dir, "*.upload*"))
	require.NoError(k.t, err)
	if len(names) == 0 {
		return checkpoint.State{}, false
	}
	name, _, _ := strings.Cut(names[0], ".tmp")
	read := func(name string) (checkpoint.State, map[int]checkpoint.Part, error) {
		text, err := os.ReadFile(name)
		if err != nil {
			return checkpoint.State{}, nil, err
		}
		return checkpoint.Parse(text, checkAddress)
	}
	// What was written and not renamed yet is known as well.
	rec, parts, err := read(name + ".tmp")
	if err != nil {
		if rec, parts, err = read(name); os.IsNotExist(err) {
			return checkpoint.State{}, false
		}
		require.NoError(k.t, err, "a checkpoint is whole at any time")
	}
	if !rec.Asked.IsZero() {
		rec.Asked = rec.Asked.Add(-settling)
		rewrite(k.t, name, rec, parts)
	}
	return rec, true
}

// check looks at what has become of the upload.
func (k *killing) check() {
	t := k.t
	var complete []made
	all := k.made()
	for _, m := range all {
		if m.complete {
			complete = append(complete, m)
		}
	}
	require.Len(t, complete, 1, "one asset has an object")
	m := complete[0]
	require.Equal(t, k.known, m.id)
	require.Len(t, all, 1+k.lost+k.recreated, "every other asset is accounted for")
	for name, want := range k.files {
		key := m.key
		if name != k.kind.file {
			key = path.Join(path.Dir(m.key), name)
		}
		got, ok := k.srv.Object(m.bucket, key)
		require.True(t, ok, "%s", key)
		require.True(t, bytes.Equal(want, got), "%s: %d bytes with MD5 %x are stored, not %d with %x", name, len(got), md5.Sum(got), len(want), md5.Sum(want))
		_, crc, _ := k.srv.ObjectInfo(m.bucket, key)
		require.Equal(t, crc64.Checksum(want, crc64.MakeTable(crc64.ECMA)), crc)
	}
	tokens := map[string]bool{}
	registrations := 0
	for _, q := range k.srv.Requests() {
		if q.Status != 200 || q.Operation != k.kind.register {
			continue
		}
		token := q.Params.Get("ClientToken")
		if token == "" || !tokens[token] {
			registrations++
		}
		tokens[token] = true
	}
	if k.kind.register != "" {
		require.Equal(t, 1, registrations)
	}
	if text, err := os.ReadFile(k.job.Out); err == nil {
		var out outcome
		require.NoError(t, json.Unmarshal(text, &out))
		id := m.id
		if k.kind.streams {
			id = k.job.MediaId
		}
		require.Equal(t, id, out.Result.MediaId)
		require.Equal(t, crc64.Checksum(k.files[k.kind.file], crc64.MakeTable(crc64.ECMA)), out.Result.CRC64)
	}
	require.Empty(t, checkpoints(t, k.job.Dir))
}

// relay passes connections on to a server and knows when all have ended: then
// nothing that a dead process has sent is still on its way.
type relay struct {
	net.Listener
	to string

	mu       sync.Mutex
	ended    *sync.Cond
	open     int
	accepted chan struct{} // closed with the next connection
}

func newRelay(t *testing.T, srv *mediatest.Server) *relay {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	r := &relay{Listener: listener, to: strings.TrimPrefix(srv.URL, "http://"), accepted: make(chan struct{})}
	r.ended = sync.NewCond(&r.mu)
	go r.serve()
	t.Cleanup(func() {
		require.NoError(t, listener.Close())
		srv.Close()
		r.wait()
	})
	return r
}

func (r *relay) url() string { return "http://" + r.Addr().String() }

func (r *relay) serve() {
	for {
		conn, err := r.Accept()
		if err != nil {
			return
		}
		r.mu.Lock()
		r.open++
		close(r.accepted)
		r.accepted = make(chan struct{})
		r.mu.Unlock()
		go func() {
			r.pass(conn.(*net.TCPConn))
			r.mu.Lock()
			defer r.mu.Unlock()
			r.open--
			r.ended.Broadcast()
		}()
	}
}

func (r *relay) pass(client *net.TCPConn) {
	defer client.Close()
	conn, err := net.Dial("tcp", r.to)
	if err != nil {
		return
	}
	defer conn.Close()
	server, sent := conn.(*net.TCPConn), make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = io.Copy(server, client)
		_ = server.CloseWrite()
	}()
	_, _ = io.Copy(client, server)
	_, _ = io.Copy(io.Discard, server) // until the server is through, although the client is dead
	_ = client.CloseRead()
	<-sent
}

// next is closed when another connection comes.
func (r *relay) next() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.accepted
}

// quiet waits until the server is through with all that it was sent.
func (r *relay) quiet() {
	// Connections are taken in order: after this one no other is to come.
	if conn, err := net.Dial("tcp", r.Addr().String()); err == nil {
		_ = conn.(*net.TCPConn).CloseWrite()
		_, _ = io.Copy(io.Discard, conn)
		_ = conn.Close()
	}
	r.wait()
}

func (r *relay) wait() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.open > 0 {
		r.ended.Wait()
	}
}
