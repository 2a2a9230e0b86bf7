package mediatype

import (
	"mime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestContentType(t *testing.T) {
	t.Parallel()
	for want, names := range map[string]string{
		// Video and streaming.
		"video/mp4": "a.mp4 sv/a/b.MP4 a.cmfv", "video/quicktime": "a.mov a.qt", "video/x-matroska": "a.mkv", "video/webm": "a.webm", "video/x-msvideo": "a.avi", "video/x-flv": "a.flv", "video/x-f4v": "a.f4v",
		"video/x-m4v": "a.m4v", "video/x-ms-wmv": "a.wmv", "video/x-ms-asf": "a.asf", "video/mpeg": "a.mpg a.mpeg a.vob a.m2v", "video/mp2t": "a.ts a.m2ts a.MTS a.m2t", "video/ogg": "a.ogv",
		"video/3gpp": "a.3gp", "video/3gpp2": "a.3g2", "video/iso.segment": "a.m4s", "video/av1": "a.av1 a.obu", "video/x-ivf": "a.ivf", "video/h264": "a.h264", "video/h265": "a.hevc",
		"application/mxf": "a.mxf", "application/mp4": "a.cmft", "application/vnd.apple.mpegurl": "x.M3U8", "application/dash+xml": "a.mpd", "audio/mpegurl": "a.m3u",
		"application/vnd.rn-realmedia": "a.rm",
		// Audio.
		"audio/mp4": "a.m4a a.cmfa", "audio/aac": "a.aac", "audio/mpeg": "a.mp3 a.mp2", "audio/ogg": "a.ogg a.opus a.oga", "audio/flac": "a.flac", "audio/wav": "a.WAV", "audio/x-ms-wma": "a.wma", "audio/x-matroska": "a.mka",
		"audio/webm": "a.weba", "audio/ac3": "a.ac3", "audio/eac3": "a.eac3 a.ec3", "audio/vnd.dts": "a.dts", "audio/amr": "a.amr", "audio/x-aiff": "a.aiff",
		// Images.
		"image/avif": "a.avif", "image/heic": "a.heic a.HEIC", "image/heif": "a.heif", "image/jxl": "a.jxl", "image/jpeg": "a.jpg a.jpeg", "image/png": "a.png", "image/apng": "a.apng", "image/gif": "a.gif", "image/webp": "a.webp",
		"image/bmp": "a.bmp", "image/tiff": "a.tif a.tiff", "image/svg+xml": "a.svg", "image/vnd.microsoft.icon": "a.ico", "image/jp2": "a.jp2",
		// Subtitles.
		"text/vtt": "a.vtt a.webvtt", "application/x-subrip": "a.srt", "application/ttml+xml": "a.ttml a.dfxp", "text/x-ssa": "a.ass a.ssa",
		"application/json": "a.json", "application/xml": "a.xml", "text/plain": "a.txt", "application/zip": "a.zip",
		Unknown: "a.b/c x.unknown .mp4 a. mp4",
	} {
		for _, name := range strings.Fields(names) {
			require.Equal(t, want, Of(name), name)
		}
	}
	require.Equal(t, Unknown, Of(""))
	require.Equal(t, "video/mp4", Of("film", "a.mp4"), "the key has no extension, the source has")
	require.Equal(t, "video/mp4", Of("film.v2", "a.mp4"), "nor one that is known")
	require.Equal(t, "video/webm", Of("film.webm", "a.mp4"), "the key's extension counts first")
	require.Equal(t, Unknown, Of("film", "source"))
	for ext, mediaType := range types {
		require.Equal(t, strings.ToLower(ext), ext)
		_, _, err := mime.ParseMediaType(mediaType)
		require.NoError(t, err, ext)
	}
	for mediaType, ext := range usual {
		require.True(t, IsMedia(ext), mediaType)
	}
	for _, ext := range strings.Fields("json xml txt html zip key php exe pdf") {
		require.False(t, IsMedia(ext), ext)
	}
}
