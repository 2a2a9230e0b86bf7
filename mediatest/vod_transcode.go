package mediatest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

var vodTranscodeOperations = map[string]operation{
	"SubmitTranscodeJobs":   submitTranscodeJobs,
	"GetTranscodeTask":      getTranscodeTask,
	"ListTranscodeTask":     listTranscodeTask,
	"GetTranscodeSummary":   getTranscodeSummary,
	"SubmitSnapshotJob":     submitSnapshotJob,
	"ListSnapshots":         listSnapshots,
	"SubmitDynamicImageJob": submitDynamicImageJob,
	"ListDynamicImage":      listDynamicImage,
	"DeleteDynamicImage":    deleteDynamicImage,
	"SubmitAIJob":           submitAIJob,
	"GetJobDetail":          getJobDetail,
	"ListJobInfo":           listJobInfo,
}

// The jobs of VOD that belong to a video.
var (
	transcodeTasks = &family{service: "vod", kind: "TranscodeTask", id: "TranscodeTaskId"}
	transcodeJobs  = &family{service: "vod", kind: "TranscodeJob", id: "TranscodeJobId", notFound: "InvalidJob.NotFound",
		states: "Submitted Transcoding TranscodeSuccess TranscodeFail", done: transcodeDone, event: "StreamTranscodeComplete"}
	snapshotJobs     = &family{service: "vod", kind: "SnapshotJob", event: "SnapshotComplete", id: "JobId", states: "Processing Processing Success Fail"}
	dynamicImageJobs = &family{service: "vod", kind: "DynamicImageJob", event: "DynamicImageComplete", id: "JobId", states: "Processing Processing Success Fail"}
)

// groupMade gives each template of a group an id.
func groupMade(c *call, group *thing) error {
	text := group.values["TranscodeTemplateList"]
	if text == "" {
		return nil
	}
	var templates []map[string]any
	if json.Unmarshal([]byte(text), &templates) != nil || len(templates) > 20 {
		return invalid("TranscodeTemplateList")
	}
	for _, template := range templates {
		if id, _ := template["TranscodeTemplateId"].(string); template != nil && id == "" {
			template["TranscodeTemplateId"] = c.randomID(16)
		}
	}
	with, err := json.Marshal(templates)
	if err != nil {
		return invalid("TranscodeTemplateList")
	}
	group.values["TranscodeTemplateList"] = string(with)
	return nil
}

// submitTranscodeJobs takes a template group that the server does not have for
// one made in the console, with a single template of definition HD.
func submitTranscodeJobs(c *call) (fields, error) {
	a, err := c.video()
	if err != nil {
		return nil, err
	}
	if err := stored(a); err != nil {
		return nil, err
	}
	templates := []struct{ TranscodeTemplateId, Definition string }{{Definition: "HD"}}
	if group := c.made["vod.TranscodeTemplateGroup"][c.get("TemplateGroupId")]; group != nil && group.values["TranscodeTemplateList"] != "" {
		if json.Unmarshal([]byte(group.values["TranscodeTemplateList"]), &templates) != nil || len(templates) == 0 {
			return nil, invalid("TemplateGroupId")
		}
	}
	task := c.newThing(transcodeTasks, c.randomID(16), c.action)
	task.values = map[string]string{"VideoId": a.MediaId, "TranscodeTemplateGroupId": c.get("TemplateGroupId"), "Trigger": "Manual"}
	jobs := []fields{}
	for _, template := range templates {
		job := c.newThing(transcodeJobs, c.randomID(16), c.action)
		job.values = map[string]string{
			"VideoId": a.MediaId, "TaskId": task.id, "Definition": cmp.Or(template.Definition, "HD"), "UserData": c.get("UserData"),
			"TemplateId": cmp.Or(template.TranscodeTemplateId, c.randomID(16)), "Priority": cmp.Or(c.get("Priority"), "6"), "TemplateGroupId": c.get("TemplateGroupId"),
		}
		c.launch(job)
		jobs = append(jobs, fields{"JobId": job.id})
	}
	return fields{"TranscodeTaskId": task.id, "TranscodeJobs": fields{"TranscodeJob": jobs}}, nil
}

// transcodeDone adds the stream that a job made to its video.
func transcodeDone(s *Server, acc *Account, job *thing) {
	a := acc.medias[job.values["VideoId"]]
	if a == nil {
		return
	}
	st := &stream{bucket: acc.storage, key: a.MediaId + "/" + job.id + "-" + strings.ToLower(job.values["Definition"]) + ".mp4", job: job.id, made: job.due}
	st.Stream = Stream{Definition: job.values["Definition"], URL: s.objectURL(st.bucket, st.key), Complete: true}
	a.streams = append(a.streams, st)
	s.keep(st.bucket, st.key, []byte("mediatest: output of job "+job.id+"\n"))
	if a.forced == "UploadSucc" {
		a.forced = "" // it has a stream now
	}
}

func (c *call) transcodeJob(t *thing) fields {
	f := fields{
		"TranscodeJobId": t.id, "TranscodeJobStatus": strings.Replace(t.state(c.now), "Submitted", "Transcoding", 1), "Definition": t.values["Definition"],
		"TranscodeTemplateId": t.values["TemplateId"], "Priority": t.values["Priority"], "CreationTime": t.created.Format(timeFormat),
		"TranscodeProgress": 0, "ErrorCode": t.failed(c.now, t.code), "ErrorMessage": t.failed(c.now, t.message), "CompleteTime": "", "InputFileUrl": "",
	}
	a := c.medias[t.values["VideoId"]]
	if a != nil {
		f["InputFileUrl"] = a.URL
	}
	if t.pending(c.now) {
		return f
	}
	f["TranscodeProgress"], f["CompleteTime"] = 100, t.due.Format(timeFormat)
	if a == nil || t.code != "" {
		return f
	}
	look := playable[t.values["Definition"]]
	pictures, _ := json.Marshal([]fields{{"Index": "0", "CodecName": "h264", "Width": strconv.Itoa(look.width), "Height": strconv.Itoa(look.height), "Duration": a.duration()}}) // strings only
	sounds, _ := json.Marshal([]fields{{"Index": "1", "CodecName": "aac", "Channels": "2", "SampleRate": "44100", "Duration": a.duration()}})                                    // strings only
	for _, st := range a.streams {
		if st.job == t.id {
			f["OutputFile"] = fields{
				"OutputFileUrl": st.URL, "Format": "mp4", "Duration": a.duration(), "Bitrate": strconv.Itoa(look.bitrate), "Fps": "25",
				"Width": strconv.Itoa(look.width), "Height": strconv.Itoa(look.height), "WatermarkIdList": []string{},
				"VideoStreamList": string(pictures), "AudioStreamList": string(sounds), "SubtitleStreamList": "[]",
			}
			if o := c.object(st.bucket, st.key); o != nil {
				f["OutputFile"].(fields)["Filesize"] = o.size
			}
		}
	}
	return f
}

// jobsOf are the jobs of a task or of a video, by creation.
func (c *call) jobsOf(f *family, name, id string) []*thing {
	return slices.DeleteFunc(c.sorted(f), func(t *thing) bool { return t.values[name] != id })
}

func (c *call) transcodeTask(task *thing) fields {
	jobs := c.jobsOf(transcodeJobs, "TaskId", task.id)
	good, bad := 0, 0
	var last time.Time
	for _, job := range jobs {
		switch {
		case job.pending(c.now):
		case job.code != "":
			bad++
		default:
			good++
		}
		if job.due.After(last) {
			last = job.due
		}
	}
	status, complete := "Processing", ""
	switch {
	case good+bad < len(jobs) && good > 0:
		status = "Partial"
	case good+bad < len(jobs):
	case bad == 0:
		status = "CompleteAllSucc"
	case good == 0:
		status = "CompleteAllFail"
	default:
		status = "CompletePartialSucc"
	}
	if good+bad == len(jobs) {
		complete = last.Format(timeFormat)
	}
	return fields{
		"TranscodeTaskId": task.id, "TaskStatus": status, "VideoId": task.values["VideoId"], "CreationTime": task.created.Format(timeFormat),
		"CompleteTime": complete, "TranscodeTemplateGroupId": task.values["TranscodeTemplateGroupId"], "Trigger": task.values["Trigger"],
	}
}

func (c *call) looked(jobs []*thing) []fields {
	infos := []fields{}
	for _, job := range jobs {
		infos = append(infos, c.transcodeJob(job))
		job.look()
	}
	return infos
}

func getTranscodeTask(c *call) (fields, error) {
	if ids := list(c.get("JobIds")); len(ids) > 0 {
		var jobs []*thing
		absent := []string{}
		for _, id := range ids {
			if job := c.things(transcodeJobs)[id]; job != nil {
				jobs = append(jobs, job)
			} else {
				absent = append(absent, id)
			}
		}
		return fields{"TranscodeJobInfoList": c.looked(jobs), "NonExistJobIds": absent}, nil
	}
	task := c.things(transcodeTasks)[c.get("TranscodeTaskId")]
	if task == nil {
		return nil, errNoResource("transcoding task")
	}
	f := c.transcodeTask(task)
	f["TranscodeJobInfoList"] = c.looked(c.jobsOf(transcodeJobs, "TaskId", task.id))
	return fields{"TranscodeTask": f, "NonExistJobIds": []string{}}, nil
}

func listTranscodeTask(c *call) (fields, error) {
	if _, err := c.video(); err != nil {
		return nil, err
	}
	tasks := c.jobsOf(transcodeTasks, "VideoId", c.get("VideoId"))
	slices.Reverse(tasks)
	w, err := c.window(len(tasks))
	if err != nil {
		return nil, err
	}
	infos := []fields{}
	for _, task := range tasks[w.from:w.to] {
		infos = append(infos, c.transcodeTask(task))
	}
	return fields{"TranscodeTaskList": infos}, nil
}

func getTranscodeSummary(c *call) (fields, error) {
	summaries, absent := []fields{}, []string{}
	for _, id := range list(c.get("VideoIds")) {
		tasks := c.jobsOf(transcodeTasks, "VideoId", id)
		if len(tasks) == 0 {
			absent = append(absent, id)
			continue
		}
		f := c.transcodeTask(tasks[len(tasks)-1])
		f["TranscodeStatus"] = f["TaskStatus"]
		infos := []fields{}
		for _, job := range c.jobsOf(transcodeJobs, "TaskId", tasks[len(tasks)-1].id) {
			info := c.transcodeJob(job)
			if out, ok := info["OutputFile"].(fields); ok {
				for _, name := range []string{"Bitrate", "Duration", "Filesize", "Format", "Fps", "Height", "Width"} {
					info[name] = out[name]
				}
			}
			infos = append(infos, info)
		}
		f["TranscodeJobInfoSummaryList"] = infos
		summaries = append(summaries, f)
	}
	return fields{"TranscodeSummaryList": summaries, "NonExistVideoIds": absent}, nil
}

func submitSnapshotJob(c *call) (fields, error) {
	a, err := c.video()
	if err != nil {
		return nil, err
	}
	if err := stored(a); err != nil {
		return nil, err
	}
	count, err := strconv.Atoi(cmp.Or(c.get("Count"), "1"))
	if err != nil || count < 1 || count > 1000 {
		return nil, invalid("Count")
	}
	t := c.newThing(snapshotJobs, c.randomID(16), c.action)
	t.values = map[string]string{"VideoId": a.MediaId, "Count": strconv.Itoa(count), "UserData": c.get("UserData")}
	c.launch(t)
	return fields{"SnapshotJob": fields{"JobId": t.id}}, nil
}

// lastDone is the latest job of a video that has succeeded.
func (c *call) lastDone(f *family, video string) *thing {
	jobs := c.jobsOf(f, "VideoId", video)
	for _, job := range slices.Backward(jobs) {
		if job.succeeded(c.now) {
			return job
		}
		job.look()
	}
	return nil
}

func listSnapshots(c *call) (fields, error) {
	a, err := c.video()
	if err != nil {
		return nil, err
	}
	if err := stored(a); err != nil {
		return nil, err
	}
	job := c.lastDone(snapshotJobs, a.MediaId)
	if job == nil {
		return nil, errNoResource("snapshot")
	}
	total, _ := strconv.Atoi(job.values["Count"]) // written above
	w, err := c.window(total)
	if err != nil {
		return nil, err
	}
	shots := []fields{}
	for i := w.from; i < w.to; i++ {
		shots = append(shots, fields{"Index": i + 1, "Url": c.snapshotURL(job, i)})
	}
	return fields{"MediaSnapshot": fields{
		"JobId": job.id, "CreationTime": job.created.Format(timeFormat), "Total": total, "Regular": "false", "Snapshots": fields{"Snapshot": shots},
	}}, nil
}

// snapshotFormat is the name of a job's pictures in the bucket.
func snapshotFormat(job *thing) string { return "snapshot/" + job.id + "{SnapshotCount}.jpg" }

func snapshotKey(job *thing, i int) string {
	return strings.Replace(snapshotFormat(job), "{SnapshotCount}", fmt.Sprintf("%05d", i+1), 1)
}

func (c *call) snapshotURL(job *thing, i int) string {
	return c.objectURL(c.storage, snapshotKey(job, i))
}

func dynamicImageKey(job *thing) string { return "dynamic/" + job.values["DynamicImageId"] + ".gif" }

func submitDynamicImageJob(c *call) (fields, error) {
	a, err := c.video()
	if err != nil {
		return nil, err
	}
	if err := stored(a); err != nil {
		return nil, err
	}
	t := c.newThing(dynamicImageJobs, c.randomID(16), c.action)
	t.values = map[string]string{"VideoId": a.MediaId, "DynamicImageId": c.randomID(16)}
	c.launch(t)
	return fields{"DynamicImageJob": fields{"JobId": t.id}}, nil
}

func listDynamicImage(c *call) (fields, error) {
	a, err := c.video()
	if err != nil {
		return nil, err
	}
	images := []fields{}
	for _, t := range c.jobsOf(dynamicImageJobs, "VideoId", a.MediaId) {
		if t.succeeded(c.now) {
			images = append(images, fields{
				"DynamicImageId": t.values["DynamicImageId"], "JobId": t.id, "VideoId": a.MediaId, "CreationTime": t.created.Format(timeFormat),
				"FileURL": c.objectURL(c.storage, dynamicImageKey(t)), "Format": "gif", "Fps": "5",
				"Duration": "3", "Width": "320", "Height": "180", "FileSize": "65536",
			})
		}
		t.look()
	}
	return fields{"DynamicImageList": images}, nil
}

func deleteDynamicImage(c *call) (fields, error) {
	a, err := c.video()
	if err != nil {
		return nil, err
	}
	ids := list(c.get("DynamicImageIds"))
	for _, t := range c.jobsOf(dynamicImageJobs, "VideoId", a.MediaId) {
		if len(ids) == 0 || slices.Contains(ids, t.values["DynamicImageId"]) {
			delete(c.things(dynamicImageJobs), t.id)
		}
	}
	return fields{}, nil
}

// submitAIJob makes one job for each of the Types.
func submitAIJob(c *call) (fields, error) {
	a := c.medias[c.get("MediaId")]
	if a == nil || a.Service != "vod" {
		return nil, errVideoNotFound
	}
	jobs := []fields{}
	for _, kind := range list(c.get("Types")) {
		t := c.newThing(families["vod.ListAIJob"].family, c.randomID(16), c.action)
		t.values = map[string]string{"MediaId": a.MediaId, "Type": kind, "Types": kind, "UserData": c.get("UserData"), "Data": "{}"}
		t.event = kind + "Complete"
		c.launch(t)
		jobs = append(jobs, fields{"JobId": t.id, "MediaId": a.MediaId, "Type": kind})
	}
	return fields{"AIJobList": jobs}, nil
}

// jobFamilies are those that a JobType stands for.
func jobFamilies(kind string) []*family {
	switch kind {
	case "transcode":
		return []*family{transcodeJobs}
	case "snapshot":
		return []*family{snapshotJobs}
	case "workflow":
		return []*family{families["vod.SubmitWorkflowJob"].family}
	}
	return []*family{families["vod.ListAIJob"].family, families["vod.SubmitAIMediaAuditJob"].family}
}

func getJobDetail(c *call) (fields, error) {
	kind := c.get("JobType")
	for _, f := range jobFamilies(kind) {
		t := c.things(f)[c.get("JobId")]
		if t == nil {
			continue
		}
		detail := c.jobInfo(t)
		if kind == "workflow" {
			t.look()
			return fields{"JobType": kind, "WorkflowTaskDetail": fields{
				"TaskId": t.id, "Status": detail["Status"], "CreateTime": detail["CreateTime"], "FinishTime": detail["CompleteTime"],
				"Workflow": fields{"WorkflowId": t.values["WorkflowId"], "Type": "Common", "Status": "Active"},
			}}, nil
		}
		detail["VideoId"], detail["MediaId"], detail["Trigger"] = t.values["VideoId"], t.values["MediaId"], "Manual"
		detail["Definition"], detail["TemplateId"], detail["JobType"] = t.values["Definition"], t.values["TemplateId"], t.values["Types"]
		t.look()
		return fields{"JobType": kind, map[string]string{"transcode": "TranscodeJobDetail", "snapshot": "SnapshotJobDetail"}[kind] + map[bool]string{true: "AIJobDetail"}[kind == "ai"]: detail}, nil
	}
	return nil, refused(404, "InvalidJob.NotFound", "The job does not exist.")
}

func (c *call) jobInfo(t *thing) fields {
	complete := ""
	if !t.pending(c.now) {
		complete = t.due.Format(timeFormat)
	}
	user, _ := strconv.ParseInt(c.id, 10, 64) // digits
	return fields{"JobId": t.id, "Status": t.state(c.now), "CreateTime": t.created.Format(timeFormat), "CompleteTime": complete, "UserId": user}
}

func listJobInfo(c *call) (fields, error) {
	infos := []fields{}
	for _, f := range jobFamilies(c.get("JobType")) {
		for _, t := range c.sorted(f) {
			if t.values["VideoId"] == c.get("MediaId") || t.values["MediaId"] == c.get("MediaId") {
				infos = append(infos, c.jobInfo(t))
			}
		}
	}
	return fields{"JobType": c.get("JobType"), "MediaId": c.get("MediaId"), "JobInfoList": infos}, nil
}
