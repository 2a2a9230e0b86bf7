package rpc

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
)

type jobInfo struct {
	JobId  string
	Number int64
}

type createResponse struct {
	RequestId string
	VideoId   string
	Job       jobInfo
	JobIds    []string
	Jobs      []jobInfo
	Detail    alimedia.JSON
	Map       map[string]string
	Pointer   *jobInfo
	Text      string
	Auth      alimedia.Secret
	Ok        bool
}

// A response of status 2xx without what it promises is no success.
func TestCall_B51_ResponseWithoutItsProof(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, proof, body string
		missing           string // empty: proven
	}{
		{"there", "VideoId", `{"VideoId":"v"}`, ""},
		{"as a number", "VideoId", `{"VideoId":7}`, ""},
		{"nothing in it", "VideoId", `{}`, "VideoId"},
		{"empty", "VideoId", `{"VideoId":""}`, "VideoId"},
		{"null", "VideoId", `{"VideoId":null}`, "VideoId"},
		{"blank", "VideoId", `{"VideoId":" \n"}`, "VideoId"},
		{"a list", "VideoId", `{"VideoId":[]}`, "VideoId"},
		{"a blank text", "Text", `{"Text":" \n"}`, "Text"},
		{"of another form", "VideoId", `{"VideoId":{"a":1}}`, "VideoId; of another form than documented: VideoId"},
		{"somebody else's", "VideoId", `{"status":"ok"}`, "VideoId"},
		{"below", "Job.JobId", `{"Job":{"JobId":"j"}}`, ""},
		{"not below", "Job.JobId", `{"JobId":"j"}`, "Job.JobId"},
		{"a structure", "Job", `{"Job":{"Number":1}}`, ""},
		{"an empty structure", "Job", `{"Job":{"Number":0}}`, "Job"},
		{"the number 0", "Job.Number", `{"Job":{"Number":0}}`, "Job.Number"},
		{"one of two", "VideoId|JobIds", `{"JobIds":["a"]}`, ""},
		{"neither of two", "VideoId|JobIds", `{"JobIds":[]}`, "VideoId or JobIds"},
		{"a list of blanks", "JobIds", `{"JobIds":[""," ",null]}`, "JobIds"},
		{"both", "VideoId Auth", `{"VideoId":"v","Auth":"a"}`, ""},
		{"only one of both", "VideoId Auth", `{"VideoId":"v"}`, "Auth"},
		{"in a list", "Jobs.JobId", `{"Jobs":[{},{"JobId":"j"}]}`, ""},
		{"not in a list", "Jobs.JobId", `{"Jobs":[{"Number":7}]}`, "Jobs.JobId"},
		{"a list of structures", "Jobs", `{"Jobs":[{"Number":7}]}`, ""},
		{"a list of empty structures", "Jobs", `{"Jobs":[{}]}`, "Jobs"},
		{"a document", "Detail", `{"Detail":"{\"a\":1}"}`, ""},
		{"an empty document", "Detail", `{"Detail":"{}"}`, "Detail"},
		{"a map", "Map", `{"Map":{"a":"b"}}`, ""},
		{"an empty map", "Map", `{"Map":{}}`, "Map"},
		{"a pointer", "Pointer.JobId", `{"Pointer":{"JobId":"j"}}`, ""},
		{"no pointer", "Pointer.JobId", `{"Pointer":null}`, "Pointer.JobId"},
		{"true", "Ok", `{"Ok":true}`, ""},
		{"false", "VideoId", `{"VideoId":false}`, "VideoId"},
		{"0", "VideoId", `{"VideoId":0}`, "VideoId"},
		{"the text null", "VideoId", `{"VideoId":"null"}`, "VideoId"},
		{"a list of such", "JobIds", `{"JobIds":["undefined",false]}`, "JobIds"},
		{"a field that is not there", "Nowhere", `{"VideoId":"v"}`, "Nowhere"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			st := response(200, tt.body)
			st.header = map[string]string{"x-acs-request-id": "R-H"}
			c, s := scripted(t, st, ok())
			out, err := Call(t.Context(), c, Op{Action: "CreateUploadVideo", Proof: tt.proof}, nil, new(createResponse))
			require.Len(t, s.seen, 1, "what cannot be repeated is not")
			if tt.missing == "" {
				require.NoError(t, err)
				require.Equal(t, "R-H", out.RequestId)
				return
			}
			require.Nil(t, out)
			var e *alimedia.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, alimedia.Error{Product: "ice", Action: "CreateUploadVideo", Message: "the response has no " + tt.missing, RequestId: "R-H", StatusCode: 200}, *e)
			require.True(t, e.Retryable())
		})
	}
}

// Whatever stands in a success that proves nothing, it is a lost response:
// repeated where that does no harm.
func TestCall_B51_LostResponses(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]step{
		"nothing in it": response(200, `{}`), "null": response(200, `null`), "no body": response(200, ``), "no content": response(204, ``),
		"a page": response(200, `<html>login</html>`), "half": response(200, `{"MediaId":"m`), "a list": response(200, `[{"MediaId":"m1"}]`),
		"an empty id": response(201, `{"RequestId":"R","MediaId":""}`),
	} {
		for class, calls := range map[Class]int{Read: 2, Idempotent: 2, Tokened: 2, Unsafe: 1} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c, s := scripted(t, first, ok())
					out, err := call(t, c, Op{Action: "X", Class: class, Proof: "MediaId"}, nil)
					require.Len(t, s.seen, calls)
					if calls == 1 {
						require.ErrorContains(t, err, "alimedia: X: unexpected response (HTTP 20")
						return
					}
					require.NoError(t, err)
					require.Equal(t, &mediaResponse{RequestId: "R-OK", MediaId: "m1"}, out)
				})
			})
		}
	}
}

// Nothing of a response that was not taken stays in the result.
func TestCall_B51_NothingStaysOfALostResponse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, _ := scripted(t, response(200, `{"Text":"of the first","Jobs":[{"Number":1}]}`), response(200, `{"VideoId":"v"}`))
		out := &createResponse{Text: "of the caller"}
		require.NoError(t, c.Do(t.Context(), Op{Action: "X", Class: Read, Proof: "VideoId"}, nil, out))
		require.Equal(t, &createResponse{VideoId: "v"}, out)

		c, _ = scripted(t, response(200, `{"VideoId":"v"}`))
		out = &createResponse{Text: "of the caller"}
		require.NoError(t, c.Do(t.Context(), Op{Action: "X", Class: Read, Proof: "VideoId"}, nil, out))
		require.Equal(t, &createResponse{VideoId: "v"}, out)
	})
	c, _ := scripted(t, response(200, `{"Text":"of the first"}`))
	out := new(createResponse)
	require.Error(t, c.Do(t.Context(), Op{Action: "X", Proof: "VideoId"}, nil, out))
	require.Zero(t, *out)
}

// A response without a body is the whole response where there is nothing to tell.
func TestCall_ResponsesWithoutABody(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", " \r\n", "null", "\xef\xbb\xbf"} {
		st := response(200, body)
		st.header = map[string]string{"x-acs-request-id": " R-H "}
		c, _ := scripted(t, st, st, st, st, st)
		var told struct{ RequestId string }
		require.NoError(t, c.Do(t.Context(), unsafeOp, nil, &told))
		require.Equal(t, "R-H", told.RequestId)
		require.NoError(t, c.Do(t.Context(), unsafeOp, nil, nil))
		var free map[string]any
		require.NoError(t, c.Do(t.Context(), unsafeOp, nil, &free))
		var more struct{ RequestId, Status string }
		require.ErrorContains(t, c.Do(t.Context(), unsafeOp, nil, &more), "unexpected response (HTTP 200)")
	}
	c, _ := scripted(t, response(200, "<html>login</html>"))
	require.ErrorContains(t, c.Do(t.Context(), unsafeOp, nil, nil), "text/html", "also where nothing is read")
}

func TestDo_ResultsThatCannotBe(t *testing.T) {
	t.Parallel()
	c, s := scripted(t)
	for _, out := range []any{mediaResponse{}, (*mediaResponse)(nil), 7} {
		require.ErrorContains(t, c.Do(t.Context(), readOp, nil, out), "alimedia: GetMediaInfo: the result must be nil or a pointer that is not nil")
	}
	require.Empty(t, s.seen, "nothing is sent")
}

// A 200 that says no is an error, in every way that the services say it.
func TestCall_B51_Verdict(t *testing.T) {
	t.Parallel()
	type searchResponse struct {
		RequestId, Code, Success string
		MediaInfoList            []jobInfo
	}
	type boolResponse struct {
		RequestId, Code, Message string
		Success                  bool
	}
	op := Op{Action: "SearchMedia", Class: Read, Verdict: "Success"}
	for name, tt := range map[string]struct {
		body string
		want *alimedia.Error
	}{
		"text false":     {`{"RequestId":"R-5","Success":"false","Code":"InvalidParameter","Message":"m","MediaInfoList":[]}`, &alimedia.Error{Code: "InvalidParameter", Message: "m"}},
		"false":          {`{"RequestId":"R-5","Success":false,"Code":"NoPermission","Message":"m"}`, &alimedia.Error{Code: "NoPermission", Message: "m (RAM action ice:SearchMedia)"}},
		"a list":         {`{"RequestId":"R-5","Success":["false"],"Code":"X"}`, &alimedia.Error{Code: "X"}},
		"zero":           {`{"RequestId":"R-5","Success":0,"Code":404}`, &alimedia.Error{Code: "404"}},
		"upper case":     {`{"RequestId":"R-5","success":"FALSE","code":"X","message":"m"}`, &alimedia.Error{Code: "X", Message: "m"}},
		"without a code": {`{"RequestId":"R-5","Success":false}`, &alimedia.Error{Code: "Unsuccessful"}},
		"a fine code":    {`{"RequestId":"R-5","Success":"false","Code":"200","Message":"m"}`, &alimedia.Error{Code: "Unsuccessful", Message: "m"}},
		"a word":         {`{"RequestId":"R-5","Success":"failed"}`, &alimedia.Error{Code: "Unsuccessful"}},
		"only a code":    {`{"RequestId":"R-5","Code":"NoSuchLib"}`, &alimedia.Error{Code: "NoSuchLib"}},
		"empty, a code":  {`{"RequestId":"R-5","Success":"","Code":"X","Message":"m"}`, &alimedia.Error{Code: "X", Message: "m"}},
		"null, a code":   {`{"RequestId":"R-5","Success":null,"Code":"X","Message":"m"}`, &alimedia.Error{Code: "X", Message: "m"}},
		"text true":      {`{"RequestId":"R-5","Success":"true","Code":"200"}`, nil},
		"true, a code":   {`{"RequestId":"R-5","Success":"true","Code":"Y","Message":"m"}`, nil},
		"true":           {`{"RequestId":"R-5","Success":true,"Code":"Success"}`, nil},
		"one":            {`{"RequestId":"R-5","Success":1}`, nil},
		"not said":       {`{"RequestId":"R-5","Code":"200"}`, nil},
		"empty":          {`{"RequestId":"R-5","Success":"","Code":""}`, nil},
		"null":           {`{"RequestId":"R-5","Success":null}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, s := scripted(t, response(200, tt.body), response(200, tt.body), response(200, tt.body))
			_, err := Call(t.Context(), c, op, nil, new(searchResponse))
			_, err2 := Call(t.Context(), c, op, nil, new(boolResponse))
			require.Len(t, s.seen, 2)
			if tt.want == nil {
				require.NoError(t, err)
				require.NoError(t, err2)
				return
			}
			tt.want.Product, tt.want.Action, tt.want.RequestId, tt.want.StatusCode = "ice", "SearchMedia", "R-5", 200
			require.Equal(t, tt.want, err)
			require.Equal(t, tt.want, err2)
			require.False(t, tt.want.Retryable())

			op := op
			op.Verdict = ""
			_, err = Call(t.Context(), c, op, nil, new(searchResponse))
			require.NoError(t, err, "only where the operation is known to say so")
		})
	}
	synctest.Test(t, func(t *testing.T) {
		c, s := scripted(t, response(200, `{"Success":"false","Code":"Throttling.User","Message":"m"}`), response(200, `{"Success":"true"}`))
		_, err := Call(t.Context(), c, Op{Action: "X", Verdict: "Success"}, nil, new(searchResponse))
		require.NoError(t, err)
		require.Len(t, s.seen, 2, "its code decides about repetition")
	})
	t.Run("iterators yield it", func(t *testing.T) {
		c, _ := scripted(t, response(200, `{"RequestId":"R-5","Success":"false","Code":"InvalidParameter","MediaInfoList":[]}`))
		type request struct{ NextToken string }
		ask := func(ctx context.Context, req request) (*searchResponse, error) {
			return Call(ctx, c, op, req, new(searchResponse))
		}
		var errs []error
		for _, err := range Tokens(t.Context(), ask, request{}, func(r *request) *string { return &r.NextToken },
			func(r *searchResponse) ([]jobInfo, string) { return r.MediaInfoList, "" }) {
			errs = append(errs, err)
		}
		require.Len(t, errs, 1)
		require.True(t, alimedia.HasCode(errs[0], "InvalidParameter"))
	})
}

// Other members than Success say it too.
func TestCall_B51_VerdictsInNumbers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ verdict, body, code string }{
		{"Result", `{"RequestId":"R","Result":false}`, "Unsuccessful"},
		{"Result", `{"RequestId":"R","Result":"true"}`, ""},
		{"RetCode", `{"RequestId":"R","RetCode":0}`, ""},
		{"RetCode", `{"RequestId":"R","RetCode":"0"}`, ""},
		{"RetCode", `{"RequestId":"R","RetCode":-7,"Description":"d"}`, "-7"},
		{"Retcode", `{"RequestId":"R","retcode":"13","Code":"X"}`, "X"},
		{"RetCode", `{"RequestId":"R","RetCode":""}`, ""},
		{"RetCode", `{"RequestId":"R","Code":"X","Message":"m"}`, "X"},
		{"StatusCode", `{"RequestId":"R","StatusCode":null,"Code":"X"}`, "X"},
		{"Result", `{"RequestId":"R","Result":"error"}`, "Unsuccessful"},
		{"StatusCode", `{"RequestId":"R","StatusCode":200}`, ""},
		{"StatusCode", `{"RequestId":"R","StatusCode":"404","Message":"m"}`, "404"},
		{"HttpStatusCode", `{"RequestId":"R","HttpStatusCode":500,"Code":"InternalError"}`, "InternalError"},
	} {
		c, _ := scripted(t, response(200, tt.body))
		_, err := call(t, c, Op{Action: "X", Verdict: tt.verdict}, nil)
		if tt.code == "" {
			require.NoError(t, err, tt.body)
			continue
		}
		var e *alimedia.Error
		require.ErrorAs(t, err, &e, tt.body)
		require.Equal(t, []string{tt.code, "R"}, []string{e.Code, e.RequestId})
	}
}

// A response that has nothing of the operation's own is somebody else's, unless
// the header of the service is there.
func TestCall_B51_SomebodyElsesJSON(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{}`, `{"status":"ok"}`, `{"data":{"RequestId":"R"}}`} {
		st := response(200, body)
		c, _ := scripted(t, st)
		_, err := call(t, c, unsafeOp, nil)
		require.ErrorContains(t, err, "the response has no field of the operation", body)
		st.header = map[string]string{"x-acs-request-id": "R-H"}
		c, _ = scripted(t, st)
		out, err := call(t, c, unsafeOp, nil)
		require.NoError(t, err)
		require.Equal(t, "R-H", out.RequestId)
	}
	c, _ := scripted(t, response(200, `{}`), response(200, `{"status":"ok"}`))
	require.NoError(t, c.Do(t.Context(), unsafeOp, nil, nil), "nothing is what there is to tell")
	require.Error(t, c.Do(t.Context(), unsafeOp, nil, nil))
}

// The gateway's error document is one with any status.
func TestCall_B51_ErrorDocumentInASuccess(t *testing.T) {
	t.Parallel()
	document := `{"RequestId":"R-5","HostId":"h","Code":"InvalidParameter","Message":"m","Recommend":"r"}`
	for name, body := range map[string]string{
		"without a HostId": `{"RequestId":"R-5","Code":"InvalidParameter","Message":"m"}`,
		"other names":      `{"requestId":"R-5","errorCode":"InvalidParameter","errorMsg":"m"}`,
		"JSON":             document, "with text after it": document + "<!-- x -->", "cut off": strings.TrimSuffix(document, `"}`),
		"XML": `<Error><RequestId>R-5</RequestId><HostId>h</HostId><Code>InvalidParameter</Code><Message>m</Message></Error>`,
	} {
		c, _ := scripted(t, response(200, body), response(200, body))
		for _, op := range []Op{unsafeOp, {Action: "X", Proof: "MediaId"}} {
			_, err := call(t, c, op, nil)
			require.True(t, alimedia.HasCode(err, "InvalidParameter"), name)
			var e *alimedia.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, "R-5", e.RequestId)
		}
	}
	type codeResponse struct{ RequestId, Code string }
	c, _ := scripted(t, response(200, document))
	_, err := Call(t.Context(), c, unsafeOp, nil, new(codeResponse))
	require.True(t, alimedia.HasCode(err, "InvalidParameter"), "the HostId tells")
	c, _ = scripted(t, response(200, `{"RequestId":"R-5","Code":"Y","Message":"m"}`))
	out, err := Call(t.Context(), c, unsafeOp, nil, new(codeResponse))
	require.NoError(t, err, "a Code that the operation has")
	require.Equal(t, "Y", out.Code)
	for _, body := range []string{
		`{"HostId":"h","Code":"200","Message":"ok","MediaId":"m"}`, `{"Code":"0","Message":"ok","MediaId":"m"}`,
		`{"Code":"Accepted","MediaId":"m"}`, `{"MediaId":"m","Job":{"Code":"X","Message":"m"}}`, `{"Code":"Accepted","MediaId":"m","Data":{"Message":"m"}}`,
	} {
		c, _ := scripted(t, response(200, body))
		_, err := call(t, c, unsafeOp, nil)
		require.NoError(t, err, body)
	}
}

// The documented samples that were lost.
func TestCall_PublishedSamples(t *testing.T) {
	t.Parallel()
	type video struct {
		VideoId, Title string
		CateId         int64
		Snapshots      struct{ Snapshot []string }
	}
	var logged bytes.Buffer
	body := map[string]string{
		"lists": `{"RequestId":"R-1","NonExistVideoIds":"73ab","ForbiddenVideoIds":"93ab"}`,
		"text":  `{"RequestId":"R-1","Video":{"VideoId":"v1","Title":"t","Snapshots":{"Snapshot":"[\"https://example.com/1.jpg\"]"}}}`,
		"nan":   `{"RequestId":"R-1","Video":{"VideoId":"v1","Title":"kept","CateId":"NaN"}}`,
		"big":   `{"RequestId":"r","MediaInfoJob":{"SubmitResultJson":{"n":9007199254740993}}}`,
		"odd":   `{"RequestId":"R-1","VideoId":"v1","UploadAddress":{"Bucket":"b-private"},"UploadAuth":"e30="}`,
	}
	do := func(name string, op Op, out any) {
		t.Helper()
		c, _ := scripted(t, response(200, body[name]))
		c = c.With(func(cfg *alimedia.Config) {
			cfg.Logger = slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
		})
		require.NoError(t, c.Do(t.Context(), op, nil, out))
	}
	var deleted struct {
		RequestId                           string
		NonExistVideoIds, ForbiddenVideoIds []string
	}
	do("lists", unsafeOp, &deleted)
	require.Equal(t, []string{"73ab"}, deleted.NonExistVideoIds)
	require.Equal(t, []string{"93ab"}, deleted.ForbiddenVideoIds)

	var info struct{ Video video }
	do("text", readOp, &info)
	require.Equal(t, []string{"https://example.com/1.jpg"}, info.Video.Snapshots.Snapshot)
	require.NotContains(t, logged.String(), "left out")
	do("nan", readOp, &info)
	require.Equal(t, video{VideoId: "v1", Title: "kept"}, info.Video)
	require.Contains(t, logged.String(), "fields=Video.CateId")

	var media struct {
		MediaInfoJob struct{ SubmitResultJson map[string]any }
	}
	do("big", readOp, &media)
	require.Equal(t, json.Number("9007199254740993"), media.MediaInfoJob.SubmitResultJson["n"])

	logged.Reset()
	var created struct {
		RequestId, VideoId, UploadAddress string
		UploadAuth                        alimedia.Secret
	}
	do("odd", Op{Action: "CreateUploadVideo", Proof: "VideoId"}, &created)
	require.Equal(t, "v1", created.VideoId)
	require.Empty(t, created.UploadAddress)
	require.Equal(t, alimedia.Secret("e30="), created.UploadAuth)
	require.Equal(t, 1, strings.Count(logged.String(), "fields of another form than documented were left out"))
	require.Contains(t, logged.String(), "action=CreateUploadVideo region=cn-shanghai attempt=1 request_id=R-1 count=1 fields=UploadAddress")
	require.NotContains(t, logged.String(), "private")
}

func TestCall_B62_AnResponseOutOfProportionIsAnError(t *testing.T) {
	t.Parallel()
	type wide struct {
		Items []struct{ Fields [90]string }
	}
	body := `{"RequestId":"R-5","Items":[` + strings.Repeat("{},", 1<<18) + `{}]}`
	c, s := scripted(t, response(200, body))
	err := c.Do(t.Context(), readOp, nil, new(wide))
	require.EqualError(t, err, "alimedia: GetMediaInfo: ResponseTooLarge (HTTP 200): the response needs too much memory for its length [request id R-5]")
	require.Len(t, s.seen, 1)
}
