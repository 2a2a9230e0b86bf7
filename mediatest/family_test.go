package mediatest_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/mediatest"
)

// naming sets the fields of a request that name one thing, and empties filters
// of lists except those that made fills.
func naming(client any, action string, f mediatest.Family, id string, made reflect.Value) reflect.Value {
	keys, parts := strings.Fields(f.Key), strings.Split(id, "/")
	list := made.IsValid()
	return requestOf(client, action, func(t reflect.Type) reflect.Value {
		v := valid(t)
		for i := range v.NumField() {
			name, field := t.Field(i).Name, v.Field(i)
			required := strings.HasPrefix(t.Field(i).Tag.Get("check"), "required")
			at := slices.Index(keys, name)
			switch {
			case at >= 0:
				field.SetString(parts[at])
			case name == f.ID && f.Key == "" && field.Kind() == reflect.String:
				field.SetString(id)
			case name == f.ID && f.Key == "" && field.CanInt():
				field.SetInt(1)
			case f.ID != "" && name == f.ID+"s" && field.Kind() == reflect.Slice:
				field.Set(reflect.ValueOf([]string{id}))
			case f.ID != "" && name == f.ID+"s" && field.Kind() == reflect.String:
				field.SetString(id)
			case list && required && made.FieldByName(name).IsValid() && made.FieldByName(name).CanConvert(field.Type()) && field.Kind() == made.FieldByName(name).Kind():
				field.Set(made.FieldByName(name).Convert(field.Type()))
			case list && required && made.FieldByName(name).IsValid() && field.Kind() == reflect.String:
				field.SetString(fmt.Sprint(made.FieldByName(name).Interface()))
			case list && !required:
				field.SetZero()
			}
		}
		return v
	})
}

func text(t testing.TB, v reflect.Value) string {
	data, err := json.Marshal(v.Interface())
	require.NoError(t, err)
	return string(data)
}

func TestFamilies_WhatOneOperationMakesTheOthersFindChangeAndDelete(t *testing.T) {
	t.Parallel()
	for _, f := range mediatest.Families() {
		t.Run(f.Service+"/"+f.Kind, func(t *testing.T) {
			srv := mediatest.New(t)
			cfg := srv.Config()
			cfg.SkipValidation = true
			client := clientOf(t, f.Service, cfg)
			srv.AddMedia(mediatest.Media{MediaId: "VideoId-1234567"})
			srv.AddMedia(mediatest.Media{MediaId: "Input-1234567", Service: "ice"})
			var made reflect.Value
			for _, create := range f.Create {
				before := srv.IDs(f.Service, f.Kind)
				request := requestOf(client, create, valid)
				for _, name := range []string{"ProjectId", "JobId", f.ID} { // nothing that exists already
					if field := request.FieldByName(name); name != "" && f.Key == "" && field.IsValid() && field.Kind() == reflect.String {
						field.SetString("")
					}
				}
				made = request
				out, err := invoke(client, create, request)
				require.NoError(t, err)
				ids := srv.IDs(f.Service, f.Kind)
				require.Len(t, ids, len(before)+1)
				if f.Key == "" && out.FieldByName(f.ID).IsValid() {
					require.Contains(t, ids, out.FieldByName(f.ID).String())
				}
				if f.Key != "" {
					_, err := invoke(client, create, request)
					require.True(t, alimedia.IsAlreadyExists(err) || alimedia.HasCode(err, "ResourceAlreadyExist"), "%v", err)
				}
			}
			ids := srv.IDs(f.Service, f.Kind)
			id := ids[len(ids)-1]
			shown := id[strings.LastIndex(id, "/")+1:]
			for _, action := range f.Get {
				_, err := invoke(client, action, naming(client, action, f, id, reflect.Value{}))
				require.NoError(t, err, action)
			}
			for _, action := range f.List {
				out, err := invoke(client, action, naming(client, action, f, id, made))
				require.NoError(t, err, action)
				if field, _ := out.Type().FieldByName("Instances"); field.Name == "" { // those have no id
					require.Contains(t, text(t, out), shown, action)
				}
			}
			for _, action := range append(f.Update, f.Set...) {
				_, err := invoke(client, action, naming(client, action, f, id, reflect.Value{}))
				require.NoError(t, err, action)
			}
			for _, action := range f.Delete {
				request := naming(client, action, f, id, reflect.Value{})
				_, err := invoke(client, action, request)
				require.NoError(t, err, action)
				require.NotContains(t, srv.IDs(f.Service, f.Kind), id)
				_, err = invoke(client, action, request)
				require.True(t, alimedia.IsNotFound(err), "%s: %v", action, err)
				for _, get := range f.Get {
					_, err := invoke(client, get, naming(client, get, f, id, reflect.Value{}))
					require.True(t, alimedia.IsNotFound(err), "%s: %v", get, err)
				}
			}
		})
	}
}

func TestFamilies_ATemplateLivesFromAddToDelete(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	c := callerOf(srv, vodVersion)
	id := c.ok(t, "AddWatermark", "Name", "logo", "Type", "Image", "WatermarkConfig", `{"Dx":"8"}`).body["WatermarkInfo"].(map[string]any)["WatermarkId"].(string)
	info := func() map[string]any {
		return c.ok(t, "GetWatermark", "WatermarkId", id).body["WatermarkInfo"].(map[string]any)
	}
	require.Equal(t, "logo", info()["Name"])
	require.Equal(t, `{"Dx":"8"}`, info()["WatermarkConfig"])
	require.Equal(t, "NotDefault", info()["IsDefault"])
	require.Empty(t, info()["FileUrl"], "what was not given stays empty")
	c.ok(t, "UpdateWatermark", "WatermarkId", id, "WatermarkConfig", `{"Dx":"9"}`)
	require.Equal(t, `{"Dx":"9"}`, info()["WatermarkConfig"])
	require.Equal(t, "logo", info()["Name"])
	second := c.ok(t, "AddWatermark", "Name", "text", "Type", "Text", "WatermarkConfig", `{}`).body["WatermarkInfo"].(map[string]any)["WatermarkId"].(string)
	c.ok(t, "SetDefaultWatermark", "WatermarkId", id)
	c.ok(t, "SetDefaultWatermark", "WatermarkId", second)
	require.Equal(t, "NotDefault", info()["IsDefault"], "at most one is the default")
	require.Len(t, c.ok(t, "ListWatermark").body["WatermarkInfos"], 2)
	c.ok(t, "DeleteWatermark", "WatermarkId", id)
	c.fails(t, 404, "NoSuchResource", "GetWatermark", "WatermarkId", id)
}

func TestFamilies_ListsFilterSortAndPageByToken(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	client, err := ice.New(srv.Config())
	require.NoError(t, err)
	for _, title := range []string{"title a", "title b", "title c", "title d", "title e"} {
		_, err := client.CreateEditingProject(t.Context(), ice.CreateEditingProjectRequest{Title: title})
		require.NoError(t, err)
	}
	var titles []string
	for p, err := range client.ListEditingProjectsIter(t.Context(), ice.ListEditingProjectsRequest{MaxResults: "2"}) {
		require.NoError(t, err)
		titles = append(titles, p.Title)
	}
	require.Equal(t, []string{"title e", "title d", "title c", "title b", "title a"}, titles)
	require.Equal(t, 3, srv.Calls("ListEditingProjects"))
	out, err := client.ListEditingProjects(t.Context(), ice.ListEditingProjectsRequest{Keyword: "title c"})
	require.NoError(t, err)
	require.Len(t, out.ProjectList, 1)
}

func TestJobs_PassThroughTheirStatesAndEndAsAsked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := mediatest.New(t, mediatest.InMemory(), mediatest.Processing(time.Minute))
		client, err := ice.New(srv.Config())
		require.NoError(t, err)
		srv.Outcome(mediatest.Outcome{Operation: "SubmitMediaProducingJob", Contains: "broken", Code: "InvalidTimeline", Message: "no clips", Duration: time.Hour})
		submit := func(userData string) string {
			out, err := client.SubmitMediaProducingJob(t.Context(), ice.SubmitMediaProducingJobRequest{
				Timeline: ice.Timeline{Raw: `{"VideoTracks":[]}`}, UserData: ice.UserData{Raw: alimedia.JSON(userData)},
				OutputMediaConfig: ice.OutputMediaConfig{MediaURL: "http://" + srv.StorageBucket() + ".oss-cn-shanghai.aliyuncs.com/out/1.mp4"},
			})
			require.NoError(t, err)
			return out.JobId
		}
		good, bad := submit(`{"a":"fine"}`), submit(`{"a":"broken"}`)
		job, err := client.WaitMediaProducingJob(t.Context(), good)
		require.NoError(t, err)
		require.Equal(t, "Success", job.MediaProducingJob.Status)
		info, err := client.GetMediaInfo(t.Context(), ice.GetMediaInfoRequest{MediaId: job.MediaProducingJob.MediaId})
		require.NoError(t, err)
		require.Contains(t, []string{"Normal", "Preparing"}, info.MediaInfo.MediaBasicInfo.Status)
		began := time.Now()
		_, err = client.WaitMediaProducingJob(t.Context(), bad)
		require.ErrorContains(t, err, "InvalidTimeline")
		require.GreaterOrEqual(t, time.Since(began), 58*time.Minute)
	})
}
