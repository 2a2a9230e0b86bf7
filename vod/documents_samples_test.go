package vod

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/internal/wiretest"
)

// The documents are those of the reference, with names and texts of our own.
func TestDocuments_Samples(t *testing.T) {
	t.Parallel()
	wiretest.Samples(t, []wiretest.Sample{
		{Name: "clips", Doc: Timeline{}, Text: `{"VideoTracks":[{"VideoTrackClips":[{"MediaId":"756620ed48c9"},{"MediaId":"8f5cdf044b05"},{"MediaId":"70dc95c0e31b"}]}]}`},
		{Name: "blurred background", Doc: VideoTrackClip{}, Text: `{"MediaId":"756620ed48c9","Effects":[{"Type":"Background","SubType":"Blur","Radius":0.1}]}`},
		{Name: "three parts of the screen", Doc: VideoTrack{}, Text: `{"VideoTrackClips":[{"MediaId":"222d9296e886","Width":1,"Height":0.3333,"X":0,"Y":0.3333},{"MediaId":"70dc95c0e31b","Width":1,"Height":0.3333,"X":0,"Y":0}]}`},
		{Name: "texts", Doc: VideoTrackClip{}, Text: `{"MediaId":"4bcf9b4d7cf1","Effects":[
			{"Type":"Text","X":20,"Y":34,"Font":"WenQuanYi Zen Hei Mono","Content":"Top","Alignment":"TopCenter","FontSize":26,"FontColorOpacity":1,"FontColor":"#ff0000","FontFace":{"Bold":true,"Italic":false,"Underline":false}},
			{"Type":"Text","X":100,"Y":200,"Content":"Center","Alignment":"CenterCenter","FontSize":26,"FontColorOpacity":0.8,"FontColor":"#ff0000"},
			{"Type":"Text","X":0.10,"Y":0.1,"TimelineIn":2,"TimelineOut":15,"Content":"Bottom","Alignment":"BottomCenter","FontSize":26,"FontColor":"#000000"}]}`},
		{Name: "watermark", Doc: Timeline{}, Text: `{"VideoTracks":[{"VideoTrackClips":[{"MediaId":"756620ed48c9","Type":"Video","TimelineIn":0,"TimelineOut":140,"Duration":140}]},
			{"VideoTrackClips":[{"Effects":[{"Type":"Scale","TimelineIn":0,"TimelineOut":100,"Width":0.416}]}]}]}`},
		{Name: "review", Doc: AITemplateConfig{}, Text: `{"AuditItem":["terrorism","porn"],"AuditRange":["image-cover","text-title","video"],"AuditContent":["screen"],"AuditAutoBlock":"yes"}`},
		{Name: "snapshots", Doc: VodTemplateConfig{}, Text: `{"SnapshotConfig":{"Count":10,"SpecifiedOffsetTime":0,"Interval":1,"FrameType":"normal"},"SnapshotType":"NormalSnapshot"}`},
		{Name: "snapshots of a kind of frame", Doc: VodTemplateConfig{}, Text: `{"SnapshotConfig":{"Count":10,"SpecifiedOffsetTime":0,"Interval":1},"FrameType":"normal","SnapshotType":"NormalSnapshot"}`},
		{Name: "sprite", Doc: SpriteSnapshotConfig{}, Text: `{"CellWidth":"120","CellHeight":"68","Columns":"3","Lines":"10","Padding":"20","Margin":"50"}`},
		{Name: "tags", Doc: AIJobConfig{}, Text: `{"AIVideoTag":{"AnalyseTypes":"ASR"}}`},
		{Name: "audit", Doc: MediaAudit{}, Text: `{"VideoId":"93ab850b4f6f","Status":"Blocked","Reason":"porn video","Comment":"comment"}`},
		{Name: "image", Doc: ImageUpdate{}, Text: `{"ImageId":"i","Title":"t","Tags":"a,b"}`},
		{Name: "attached media", Doc: AttachedMediaUpdate{}, Text: `{"MediaId":"m","Title":"t","Tags":"a,b"}`},
		{Name: "origin", Doc: DomainOrigin{}, Text: `{"content":"1.1.1.1","type":"ipaddr","priority":"20","port":80}`},
		{Name: "setting", Doc: DomainFunction{}, Text: `{"functionName":"set_req_host_header","functionArgs":[{"argName":"domain_name","argValue":"www.example.com"}]}`},
		{Name: "metrics", Doc: MetricFilter{}, Text: `{"Field":"Codec","Op":"=","Value":"h265#_#h264"}`},
		{Name: "result", Doc: ProduceMetadata{}, Text: `{"Title":"t","Description":"d"}`},
		{Name: "target", Doc: ProduceConfig{}, Text: `{"TemplateGroupId":"g"}`},
	})
}

func TestProduceEditingProjectVideo_ChecksItsTimeline(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		timeline Timeline
		broken   []string
	}{
		"a clip":        {Timeline{VideoTracks: []VideoTrack{{VideoTrackClips: []VideoTrackClip{{MediaId: "m", In: 1, Out: 2, TimelineIn: alimedia.Ptr(0.0)}}}}}, nil},
		"In after Out":  {Timeline{VideoTracks: []VideoTrack{{VideoTrackClips: []VideoTrackClip{{MediaId: "m", In: 2, Out: 1}}}}}, []string{"Timeline.VideoTracks[0].VideoTrackClips[0]"}},
		"sound":         {Timeline{AudioTracks: []AudioTrack{{AudioTrackClips: []AudioTrackClip{{MediaId: "m", In: 2, Out: 2}}}}}, []string{"Timeline.AudioTracks[0].AudioTrackClips[0]"}},
		"texts alone":   {Timeline{SubtitleTracks: []SubtitleTrack{{SubtitleTrackClips: []SubtitleTrackClip{{Content: "c"}}}}}, []string{"Timeline"}},
		"raw, not read": {Timeline{Raw: `{"SubtitleTracks":[{}]}`}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, w := newClient(t, "cn-shanghai", `{"RequestId":"r","MediaId":"m","ProjectId":"p"}`)
			_, err := c.ProduceEditingProjectVideo(t.Context(), ProduceEditingProjectVideoRequest{Timeline: tt.timeline})
			require.Equal(t, tt.broken, broken(t, w, err))
		})
	}
}
