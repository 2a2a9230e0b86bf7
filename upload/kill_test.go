package upload

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"hash/crc64"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/vod"
)

// killJob tells a child process what to upload.
type killJob struct {
	URL, Id, Secret, File, Dir, Target, Reference string
}

const killEnv = "UPLOAD_KILL_JOB"

// killTargets are the targets that survive a death at any point.
func (j killJob) target() Target {
	switch j.Target {
	case "video":
		return VODVideo{ReferenceId: j.Reference}
	case "yike":
		return YikeAsset{}
	}
	return Bucket{Name: "own-bucket", Key: j.Reference + ".mp4", Region: "cn-shanghai", Register: RegisterMediaInfo{}}
}

func (j killJob) upload(ctx context.Context) (*Result, error) {
	keys := credentials.Static(j.Id, j.Secret, "")
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	cfg := alimedia.Config{Region: "cn-shanghai", Endpoint: j.URL, Credentials: keys, HTTPClient: client}
	v, err := vod.New(cfg)
	if err != nil {
		return nil, err
	}
	i, err := ice.New(cfg)
	if err != nil {
		return nil, err
	}
	u, err := New(Config{
		VOD: v, ICE: i, Credentials: keys, HTTPClient: client, PartSize: 100 * kib, MultipartThreshold: 200 * kib, OSSEndpoint: j.URL, Parallel: 2,
	})
	if err != nil {
		return nil, err
	}
	return u.Upload(ctx, File(j.File), j.target(), WithCheckpoint(j.Dir), WithCheckpointRequired())
}

// TestKillChild is the child process of TestUpload_B27_Kill.
func TestKillChild(t *testing.T) {
	text := os.Getenv(killEnv)
	if text == "" {
		return
	}
	var j killJob
	require.NoError(t, json.Unmarshal([]byte(text), &j))
	res, err := j.upload(context.Background())
	require.NoError(t, err)
	out, err := json.Marshal(res)
	require.NoError(t, err)
	// As one: a death meanwhile is not a success.
	temp := filepath.Join(j.Dir, "result.tmp")
	require.NoError(t, os.WriteFile(temp, out, 0o600))
	require.NoError(t, os.Rename(temp, j.result()))
}

func (j killJob) result() string { return filepath.Join(j.Dir, "result") }

func TestUpload_B27_Kill(t *testing.T) {
	kills := 0
	for round := range killRounds {
		began := time.Now()
		kills += killRound(t, round)
		if testing.Verbose() { // 200 rounds take minutes: say which one is slow
			fmt.Printf("round %d: %d kills so far, %v\n", round, kills, time.Since(began).Round(time.Millisecond))
		}
	}
	t.Logf("%d rounds, %d kills", killRounds, kills)
	require.Positive(t, kills)
}

func killRound(t *testing.T, round int) (kills int) {
	srv := mediatest.New(t)
	defer srv.Close()
	srv.CreateBucket("own-bucket")
	srv.Fault(mediatest.Fault{Times: mediatest.Always, Delay: 2 * time.Millisecond})
	data := random(700*kib + round)
	if round%4 == 3 {
		data = data[:150*kib] // a single put
	}
	j := killJob{
		URL: srv.URL, Id: srv.Credentials().AccessKeyId, Secret: srv.Credentials().AccessKeySecret,
		File: writeFile(t, "movie.mp4", data), Dir: t.TempDir(),
		Target: []string{"video", "yike", "bucket"}[round%3], Reference: fmt.Sprintf("round-%d", round),
	}
	text, err := json.Marshal(j)
	require.NoError(t, err)
	for try := 0; ; try++ {
		require.Less(t, try, 60, "%s: it never gets through", j.Target)
		var output bytes.Buffer
		child := exec.Command(os.Args[0], "-test.run=^TestKillChild$")
		child.Env = append(os.Environ(), killEnv+"="+string(text))
		child.Stdout, child.Stderr = &output, &output
		require.NoError(t, child.Start())
		before := len(srv.Requests())
		exited := make(chan error, 1)
		go func() { exited <- child.Wait() }()
		// The clock runs from the first request: a process takes its time to start.
		for deadline := time.Now().Add(20 * time.Second); len(srv.Requests()) == before && len(exited) == 0 && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond)
		}
		window := time.Duration(30+10*try) * time.Millisecond
		if try > 25 { // what makes sure that nothing was registered waits for seconds
			window = 15 * time.Second
		}
		timer := time.NewTimer(rand.N(window))
		select {
		case err = <-exited:
			timer.Stop()
			require.NoError(t, err, "%s", output.String())
		case <-timer.C:
			_ = child.Process.Kill()
			<-exited
			kills++
		}
		// A child may die with all done and nobody told.
		left := checkpoints(t, j.Dir)
		medias := srv.Medias()
		if len(left) == 0 && len(medias) > 0 && medias[0].Size > 0 {
			break
		}
	}
	medias := srv.Medias()
	require.Len(t, medias, 1, "%s: one asset", j.Target)
	media := medias[0]
	got, ok := srv.Object(media.Bucket, media.Key)
	require.True(t, ok)
	require.True(t, bytes.Equal(data, got), "%s: the object differs from the source", j.Target)
	_, crc, _ := srv.ObjectInfo(media.Bucket, media.Key)
	require.Equal(t, crc64.Checksum(data, crc64.MakeTable(crc64.ECMA)), crc)
	if out, err := os.ReadFile(j.result()); err == nil {
		var res Result
		require.NoError(t, json.Unmarshal(out, &res))
		require.Equal(t, media.MediaId, res.MediaId)
		require.Equal(t, crc, res.CRC64)
	}
	registered := 0
	for _, q := range srv.Requests() {
		if q.Status == 200 && (q.Operation == "RegisterYikeAssetMediaInfo" || q.Operation == "RegisterMediaInfo") {
			registered++
		}
	}
	if j.Target == "yike" {
		require.Equal(t, 1, registered)
	}
	require.Empty(t, checkpoints(t, j.Dir))
	return kills
}
