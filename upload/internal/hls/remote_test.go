package hls

import (
	"context"
	"io"
	"io/fs"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// site is files on web servers by URL. "-> URL" is a redirect.
type site map[string]string

// page is a file of a site. It implements Response.
type page struct {
	io.Reader
	from *url.URL
	text string
}

func (p page) Close() error     { return nil }
func (p page) URL() *url.URL    { return p.from }
func (p page) IsPlaylist() bool { return BeginsAsPlaylist([]byte(p.text)) }

func (s site) fetch(asked *[]string) func(context.Context, *File) (Response, error) {
	return func(_ context.Context, f *File) (Response, error) {
		*asked = append(*asked, f.URL.String())
		from := f.URL
		for {
			text, ok := s[(&url.URL{Scheme: from.Scheme, Host: from.Host, Path: from.Path}).String()]
			if !ok {
				return nil, fs.ErrNotExist
			}
			to, redirect := strings.CutPrefix(text, "-> ")
			if !redirect {
				return page{strings.NewReader(text), from, text}, nil
			}
			var err error
			if from, err = from.Parse(to); err != nil {
				return nil, err
			}
		}
	}
}

// scanURL scans the playlist at a URL. It returns the text of the stored
// playlists and the URL of other files, by name.
func (s site) scanURL(rawURL string, o Options) (got folder, asked []string, err error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, nil, err
	}
	o.Fetch = s.fetch(&asked)
	in, err := o.Fetch(context.Background(), &File{URL: u})
	if err != nil {
		return nil, nil, err
	}
	text, err := io.ReadAll(in)
	if err != nil {
		return nil, nil, err
	}
	asked = nil
	b, err := ScanURL(context.Background(), u, in.URL(), text, o)
	if err != nil {
		return nil, asked, err
	}
	got = folder{"index.m3u8": string(b.Top.Text)}
	for _, f := range b.Files {
		if got[f.Name] = string(f.Text); f.Text == nil {
			got[f.Name] = f.URL.String()
		}
	}
	return got, asked, nil
}

func TestHLS_B39_Remote(t *testing.T) {
	t.Parallel()
	s := site{
		"https://a.test/index.m3u8":       "-> https://cdn.test/v2/index.m3u8",
		"https://cdn.test/v2/index.m3u8":  "#EXTM3U\nseg/1.ts?x=1#f\n/abs/2.ts\nv/list.m3u8\n#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n3.ts\n",
		"https://cdn.test/v2/v/list.m3u8": "#EXTM3U\n1.ts\n",
		"https://a.test/other.m3u8":       "#EXTM3U\nhttps://cdn.test/1.ts\nhttps://A.test:443/2.ts\n",
		"https://a.test/assets.m3u8":      "#EXTM3U\n#EXT-X-DATERANGE:ID=\"x\",X-ASSET-URI=\"ad\"\n#EXT-X-DATERANGE:ID=\"y\",X-ASSET-URI=\"ad.mp4\"\n",
		"https://a.test/ad":               "#EXTM3U\n1.ts\n",
		"https://a.test/ad.mp4":           "media",
		"https://a.test/beacon.m3u8":      "#EXTM3U\n#EXT-X-VENDOR:COUNT-URL=\"count?x=1\"\n1.ts\n",
		"https://a.test/local.m3u8":       "#EXTM3U\nfile:///etc/passwd\n",
		"https://a.test/steering.m3u8":    "#EXTM3U\n#EXT-X-CONTENT-STEERING:SERVER-URI=\"steer.json\",PATHWAY-ID=\"A\"\n1.ts\n",
	}
	s["https://a.test/master.m3u8"], s["https://a.test/variant"] = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nvariant\n", "-> /x/v"
	s["https://a.test/x/v"] = "#EXTM3U\n1.ts\n"
	for name, tt := range map[string]struct {
		url   string
		o     Options
		want  folder
		err   error
		text  string
		asked []string
	}{
		"redirect": {url: "https://me:pw@a.test/index.m3u8", want: folder{
			"index.m3u8": "#EXTM3U\n1.ts\n2.ts\nlist.m3u8\n#EXT-X-KEY:METHOD=AES-128,URI=\"https://cdn.test/v2/k\"\n3.ts\n",
			"1.ts":       "https://cdn.test/v2/seg/1.ts?x=1", "2.ts": "https://cdn.test/abs/2.ts", "list.m3u8": "#EXTM3U\n1-2.ts\n", "1-2.ts": "https://cdn.test/v2/v/1.ts", "3.ts": "https://cdn.test/v2/3.ts",
		}, asked: []string{"https://cdn.test/v2/v/list.m3u8"}},
		"redirect of a media playlist": {url: "https://a.test/master.m3u8", want: folder{
			"index.m3u8": "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nvariant.m3u8\n", "variant.m3u8": "#EXTM3U\n1.ts\n", "1.ts": "https://a.test/x/1.ts",
		}, asked: []string{"https://a.test/variant"}},
		"password":     {url: "https://me:pw@a.test/assets.m3u8", want: folder{"index.m3u8": "#EXTM3U\n#EXT-X-DATERANGE:ID=\"x\",X-ASSET-URI=\"ad.m3u8\"\n#EXT-X-DATERANGE:ID=\"y\",X-ASSET-URI=\"ad.mp4\"\n", "ad.m3u8": "#EXTM3U\n1.ts\n", "1.ts": "https://me:pw@a.test/1.ts", "ad.mp4": "https://me:pw@a.test/ad.mp4"}, asked: []string{"https://me:pw@a.test/ad", "https://me:pw@a.test/ad", "https://me:pw@a.test/ad.mp4"}},
		"other origin": {url: "https://a.test/other.m3u8", err: ErrRemote, text: "line 2"},
		"kept":         {url: "https://a.test/other.m3u8", o: Options{KeepRemote: true}, want: folder{"index.m3u8": "#EXTM3U\nhttps://cdn.test/1.ts\n2.ts\n", "2.ts": "https://A.test:443/2.ts"}},
		"fetched":      {url: "https://a.test/other.m3u8", o: Options{FetchRemote: true}, want: folder{"index.m3u8": "#EXTM3U\n1.ts\n2.ts\n", "1.ts": "https://cdn.test/1.ts", "2.ts": "https://A.test:443/2.ts"}},
		"beacon":       {url: "https://a.test/beacon.m3u8", o: Options{FetchRemote: true}, err: ErrNotAllowed, text: `line 2: "count"`},
		"file":         {url: "https://a.test/local.m3u8", err: ErrOutside, text: "line 2"},
		"live service": {url: "https://a.test/steering.m3u8", o: Options{FetchRemote: true}, text: "responds during playback"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, asked, err := s.scanURL(tt.url, tt.o)
			if tt.err != nil || tt.text != "" {
				require.ErrorContains(t, err, tt.text)
				if tt.err != nil {
					require.ErrorIs(t, err, tt.err)
				}
				require.Empty(t, asked)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
			require.Equal(t, tt.asked, asked)
		})
	}
}

// What a playlist in a folder references on web servers.
func TestHLS_B39_RemoteOfAFolder(t *testing.T) {
	t.Parallel()
	files := folder{"index.m3u8": "#EXTM3U\nhttps://a.test/v.m3u8\n//cdn.test/2.ts\n"}
	_, err := scanFS(files.fs(), Options{})
	require.ErrorIs(t, err, ErrRemote)
	got, err := scanFS(files.fs(), Options{KeepRemote: true})
	require.NoError(t, err)
	require.Equal(t, files, got)

	var asked []string
	s := site{"https://a.test/v.m3u8": "#EXTM3U\n1.ts\n"}
	b, err := Scan(t.Context(), &Folder{FS: files.fs()}, "index.m3u8", Options{FetchRemote: true, Fetch: s.fetch(&asked)})
	require.NoError(t, err)
	require.Equal(t, "#EXTM3U\nv.m3u8\n2.ts\n", string(b.Top.Text))
	require.Len(t, b.Files, 3)
	require.EqualValues(t, UnknownSize, b.Size(b.Top.Size))
	for _, f := range b.Files {
		require.False(t, f.SameOrigin)
	}
	_, ok := b.Digest()
	require.False(t, ok, "files on web servers can change unnoticed")
}

func TestHLS_B59_PasswordOfAReference(t *testing.T) {
	t.Parallel()
	_, err := scanFS(folder{"index.m3u8": "#EXTM3U\nhttps://me:S3cret@cdn.test/a.ts\n"}.fs(), Options{KeepRemote: true})
	require.ErrorContains(t, err, "would be public")
	require.NotContains(t, err.Error(), "S3cret")
}

func TestHLS_B59_SameOrigin(t *testing.T) {
	t.Parallel()
	parse := func(text string) *url.URL {
		u, err := url.Parse(text)
		require.NoError(t, err)
		return u
	}
	for _, same := range [][2]string{
		{"http://h", "HTTP://H:80/x"}, {"https://Example.com/a?b#c", "https://u:p@example.COM:443/"}, {"http://[::1]/", "http://[::1]:80"}, {"http://h:8080/", "http://H:8080"},
	} {
		require.True(t, sameOrigin(parse(same[0]), parse(same[1])), same)
	}
	for _, other := range [][2]string{{"http://h", "https://h"}, {"https://h", "https://h:80"}, {"https://h", "https://h.evil.test"}, {"https://h", "https://g@hh"}, {"https://h.", "https://h"}} {
		require.False(t, sameOrigin(parse(other[0]), parse(other[1])), other)
	}
}
