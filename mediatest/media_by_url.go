package mediatest

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
)

var byURLOperationsVOD = map[string]operation{
	"UploadMediaByURL":    uploadByURL,
	"GetURLUploadInfos":   urlUploadInfos,
	"CancelUrlUploadJobs": cancelURLUploads,
	"UploadStreamByURL":   uploadStreamByURL,
}

var byURLOperationsICE = map[string]operation{
	"UploadMediaByURL":  uploadByURL,
	"GetUrlUploadInfos": urlUploadInfos,
	"UploadStreamByURL": uploadStreamByURL,
}

// urlUploads are the jobs that fetch a file from the Web. What is on this
// machine is fetched, everything else is taken for a file of a few bytes, and so
// is everything for an InMemory server.
var urlUploads = map[string]*family{
	"vod": {service: "vod", kind: "URLUpload", id: "JobId", states: "PENDING RUNNING SUCCESS FAILED CANCELED", done: urlUploadDone, event: "UploadByURLComplete"},
	"ice": {service: "ice", kind: "URLUpload", id: "JobId", states: "PENDING RUNNING SUCCESS FAILED", done: urlUploadDone, event: "UploadByURLComplete"},
}

const maxFetch = 64 << 20

func uploadByURL(c *call) (fields, error) {
	urls := list(c.get("UploadURLs"))
	if len(urls) == 0 {
		return nil, missing("UploadURLs")
	}
	if len(urls) > 20 {
		return nil, c.invalid("UploadURLs")
	}
	var metas []struct {
		SourceURL, Title, FileExtension, Description, Tags, CoverURL, TemplateGroupId, ReferenceId string
		CateId                                                                                     json.Number
	}
	if text := c.get("UploadMetadatas"); text != "" && json.Unmarshal([]byte(text), &metas) != nil {
		return nil, invalid("UploadMetadatas")
	}
	var meta struct{ Title, Description, Tags string }
	// IMS takes an object for all files, or a list with an item for each.
	if text := c.get("MediaMetaData"); strings.HasPrefix(strings.TrimSpace(text), "[") {
		if json.Unmarshal([]byte(text), &metas) != nil {
			return nil, invalid("MediaMetaData")
		}
	} else if err := c.document("MediaMetaData", &meta); err != nil {
		return nil, err
	}
	bucket, err := c.location(c.get("StorageLocation"))
	if err != nil {
		return nil, err
	}
	jobs := []fields{}
	for _, address := range urls {
		address, err := url.QueryUnescape(address)
		u, parsed := url.Parse(address)
		if err != nil || parsed != nil || u.Scheme != "http" && u.Scheme != "https" {
			return nil, c.invalid("UploadURLs")
		}
		id, params := c.randomID(16), cloneValues(c.params)
		m := Media{MediaId: id, Service: c.service, Title: cmp.Or(meta.Title, path.Base(u.Path)), InputURL: address}
		ext := cmp.Or(extension(u.Path), "mp4")
		for _, item := range metas {
			if item.SourceURL != address {
				continue
			}
			m.Title, ext = cmp.Or(item.Title, m.Title), cmp.Or(item.FileExtension, ext)
			for name, value := range map[string]string{
				"Description": item.Description, "Tags": item.Tags, "CoverURL": item.CoverURL, "ReferenceId": item.ReferenceId,
				"CateId": item.CateId.String(), "TemplateGroupId": item.TemplateGroupId,
			} {
				if value != "" {
					params.Set(name, value)
				}
			}
		}
		m.Type, m.Params, m.Bucket, m.Key = typeOf("a."+ext), params, bucket, "url/"+id+"/"+id+"."+ext
		c.add(m)
		t := c.newThing(urlUploads[c.service], c.randomID(16), c.action)
		t.values = map[string]string{"UploadURL": address, "MediaId": id, "UserData": c.get("UserData")}
		c.launch(t)
		t.file = &file{bucket: bucket, key: m.Key}
		c.fetch(t, address)
		jobs = append(jobs, fields{"JobId": t.id, "SourceURL": address, "MediaId": id})
	}
	return fields{"UploadJobs": jobs}, nil
}

// file is what a job fetches from the Web.
type file struct {
	bucket, key string // where it is stored when the job ends
	blob        blob
	there       bool // the bytes are
}

// fetch gets the file of a job from this machine in the background. The job ends
// when it is there; other files are there at once. The caller holds mu.
func (s *Server) fetch(t *thing, address string) {
	u, err := url.Parse(address)
	if err != nil || t.code != "" {
		return
	}
	ip := net.ParseIP(u.Hostname())
	if s.opts.inMemory || u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		s.fetched(t, []byte("mediatest: simulated content of "+address+"\n"))
		return
	}
	t.working = true
	s.working.Add(1)
	go func() {
		defer s.working.Done()
		data, code := s.download(address)
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.closed && code != "" {
			return // it goes on where the state is loaded
		}
		t.working = false
		if t.file == nil {
			return // canceled, or gone with Reset
		}
		if code != "" {
			t.code, t.message = code, "The file cannot be downloaded."
			return
		}
		s.fetched(t, data)
		s.settle()
	}()
}

// dropFile gives up the file of a job. The caller holds mu.
func (s *Server) dropFile(t *thing) {
	if t.file != nil {
		s.vault.release(t.file.blob.pieces)
	}
	t.file = nil
}

// fetched gives a job its file. The caller holds mu.
func (s *Server) fetched(t *thing, data []byte) {
	b, err := s.blobOf(data)
	if err != nil {
		s.misuse("%s is not stored: %v", t.file.key, err)
		return
	}
	t.file.blob, t.file.there = b, true
}

func (s *Server) download(address string) (data []byte, code string) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stop := context.AfterFunc(s.life, cancel)
	defer stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, "InvalidURL"
	}
	resp, err := s.away.Do(req)
	if err != nil {
		return nil, "FileDownloadFailed"
	}
	defer func() { _ = resp.Body.Close() }()
	data, err = io.ReadAll(io.LimitReader(resp.Body, maxFetch+1))
	if err != nil || resp.StatusCode != http.StatusOK || len(data) > maxFetch {
		return nil, "FileDownloadFailed"
	}
	return data, ""
}

func urlUploadDone(s *Server, _ *Account, t *thing) {
	if f := t.file; f != nil && f.there {
		s.store(f.bucket, f.key, &object{blob: f.blob, etag: s.etag(f.blob)})
	}
	t.file = nil
}

func urlUploadInfos(c *call) (fields, error) {
	ids := list(c.get("JobIds"))
	urls := list(c.get("UploadURLs"))
	if len(ids)+len(urls) == 0 {
		return nil, missing("JobIds")
	}
	if len(ids) > 10 || len(urls) > 10 {
		return nil, invalid("JobIds")
	}
	infos, absent := []fields{}, []string{}
	jobs := urlUploads[c.service]
	describe := func(t *thing) {
		f := fields{
			"JobId": t.id, "UploadURL": t.values["UploadURL"], "MediaId": t.values["MediaId"], "Status": t.state(c.now), "UserData": t.values["UserData"],
			"CreationTime": t.created.Format(timeFormat), "CompleteTime": "", "ErrorCode": t.failed(c.now, t.code), "ErrorMessage": t.failed(c.now, t.message), "FileSize": "",
		}
		if !t.pending(c.now) {
			f["CompleteTime"] = t.due.Format(timeFormat)
		}
		if a := c.medias[t.values["MediaId"]]; a != nil && a.complete {
			f["FileSize"] = strconv.FormatInt(a.Size, 10)
		}
		infos = append(infos, f)
		t.look()
	}
	for _, id := range ids {
		if t := c.things(jobs)[id]; t != nil {
			describe(t)
		} else {
			absent = append(absent, id)
		}
	}
	for _, address := range urls {
		found := false
		for _, t := range c.sorted(jobs) {
			if plain, _ := url.QueryUnescape(address); t.values["UploadURL"] == address || t.values["UploadURL"] == plain {
				describe(t)
				found = true
			}
		}
		if !found {
			absent = append(absent, address)
		}
	}
	return fields{"URLUploadInfoList": infos, "NonExists": absent}, nil
}

func cancelURLUploads(c *call) (fields, error) {
	canceled, absent := []string{}, []string{}
	wanted := append(list(c.get("JobIds")), list(c.get("UploadUrls"))...)
	for _, name := range wanted {
		found := false
		plain, _ := url.QueryUnescape(name)
		for _, t := range c.sorted(urlUploads[c.service]) {
			if (t.id == name || t.values["UploadURL"] == name || t.values["UploadURL"] == plain) && t.pending(c.now) {
				t.canceled, found = true, true
				c.dropFile(t)
			}
		}
		if found {
			canceled = append(canceled, name)
		} else {
			absent = append(absent, name)
		}
	}
	if len(canceled) == 0 {
		return nil, refused(404, "InvalidJob.NotFound", "None of the jobs exists or can be canceled.")
	}
	return fields{"CanceledJobs": canceled, "NonExists": absent}, nil
}

// streamUploads are the jobs that fetch a further stream of an asset.
var streamUploads = map[string]*family{
	"vod": {service: "vod", kind: "StreamUpload", id: "JobId", states: "PENDING RUNNING SUCCESS FAILED", done: urlUploadDone, event: "UploadByURLComplete"},
	"ice": {service: "ice", kind: "StreamUpload", id: "JobId", states: "PENDING RUNNING SUCCESS FAILED", done: urlUploadDone, event: "UploadStreamByURLComplete"},
}

func uploadStreamByURL(c *call) (fields, error) {
	if err := c.need("StreamURL", "MediaId"); err != nil {
		return nil, err
	}
	a := c.medias[c.get("MediaId")]
	if a == nil {
		if c.service == "vod" {
			return nil, errVideoNotFound
		}
		return nil, errMediaNotFound
	}
	address := c.get("StreamURL")
	if !strings.HasPrefix(address, "http") {
		return nil, invalid("StreamURL")
	}
	t := c.newThing(streamUploads[c.service], c.randomID(16), c.action)
	t.values = map[string]string{"MediaId": a.MediaId, "StreamURL": address, "UserData": c.get("UserData")}
	u, err := url.Parse(address)
	if err != nil {
		return nil, invalid("StreamURL")
	}
	ext := cmp.Or(strings.TrimPrefix(c.get("FileExtension"), "."), extension(u.Path), "mp4")
	st := &stream{bucket: c.storage, key: "stream/" + t.id + "." + ext, job: t.id, made: c.now}
	st.Stream = Stream{Definition: c.get("Definition"), HDRType: c.get("HDRType"), URL: c.objectURL(st.bucket, st.key)}
	a.streams = append(a.streams, st)
	c.launch(t)
	t.file = &file{bucket: st.bucket, key: st.key}
	c.fetch(t, address)
	return fields{"MediaId": a.MediaId, "JobId": t.id, "StreamJobId": t.id, "SourceURL": address, "FileURL": st.URL}, nil
}

var categoryOperations = map[string]operation{
	"AddCategory": addCategory, "UpdateCategory": updateCategory, "DeleteCategory": deleteCategory, "GetCategories": getCategories,
}

// maxDepth is how deep categories nest, maxSiblings how many one has below it.
var maxDepth = map[string]int{"default": 3, "material": 2}

const maxSiblings = 100

func categories(c *call) *family { return categoryFamily(c.service) }

func categoryFamily(service string) *family {
	return &family{service: service, kind: "Category", id: "CateId"}
}

func addCategory(c *call) (fields, error) {
	parent, level, kind := cmp.Or(c.get("ParentId"), "-1"), 0, cmp.Or(c.get("Type"), "default")
	if parent != "-1" {
		above := c.things(categories(c))[parent]
		if above == nil {
			return nil, errNoCategory
		}
		if level = int(float(above.values["Level"])) + 1; level >= maxDepth[kind] {
			return nil, refused(403, "LevelExceededMax", "The category is nested too deep.")
		}
	}
	if len(c.jobsOf(categories(c), "ParentId", parent)) >= maxSiblings {
		return nil, refused(403, "SubTotalExceededMax", "The category has too many categories below it.")
	}
	t := c.newThing(categories(c), c.randomDigits(9), c.action)
	t.values = map[string]string{"CateName": c.get("CateName"), "ParentId": parent, "Level": strconv.Itoa(level), "Type": kind}
	return fields{"Category": c.category(t)}, nil
}

var errNoCategory = refused(404, "InvalidCateId.NotFound", "The category does not exist.")

func (c *call) category(t *thing) fields {
	id, _ := strconv.ParseInt(t.id, 10, 64)                     // digits
	parent, _ := strconv.ParseInt(t.values["ParentId"], 10, 64) // was found, or -1
	return fields{
		"CateId": id, "CateName": t.values["CateName"], "ParentId": parent, "Level": int(float(t.values["Level"])), "Type": t.values["Type"],
		"SubTotal": len(c.jobsOf(categories(c), "ParentId", t.id)),
	}
}

func updateCategory(c *call) (fields, error) {
	t := c.things(categories(c))[c.get("CateId")]
	if t == nil {
		return nil, errNoCategory
	}
	t.values["CateName"] = c.get("CateName")
	return fields{}, nil
}

// deleteCategory deletes a category with those below it.
func deleteCategory(c *call) (fields, error) {
	id := c.get("CateId")
	if c.things(categories(c))[id] == nil {
		return nil, errNoCategory
	}
	for doomed := []string{id}; len(doomed) > 0; doomed = doomed[1:] {
		for _, sub := range c.jobsOf(categories(c), "ParentId", doomed[0]) {
			doomed = append(doomed, sub.id)
		}
		delete(c.things(categories(c)), doomed[0])
	}
	return fields{}, nil
}

func getCategories(c *call) (fields, error) {
	id := cmp.Or(c.get("CateId"), "-1")
	answer := fields{}
	if id != "-1" {
		t := c.things(categories(c))[id]
		if t == nil {
			return nil, errNoCategory
		}
		answer["Category"] = c.category(t)
	}
	below := c.jobsOf(categories(c), "ParentId", id)
	if kind := c.get("Type"); kind != "" {
		below = slices.DeleteFunc(below, func(t *thing) bool { return t.values["Type"] != kind })
	}
	if !strings.HasSuffix(strings.ToLower(c.get("SortBy")), "asc") {
		slices.Reverse(below)
	}
	w, err := c.window(len(below))
	if err != nil {
		return nil, err
	}
	subs := []fields{}
	for _, t := range below[w.from:w.to] {
		subs = append(subs, c.category(t))
	}
	answer["SubTotal"], answer["SubCategories"] = len(below), fields{"Category": subs}
	return answer, nil
}

// cateName is the name of an asset's category.
func (c *call) cateName(id string) string {
	if t := c.made[c.service+".Category"][id]; t != nil {
		return t.values["CateName"]
	}
	return ""
}

// categoriesOf describes the categories of a comma list.
func (c *call) categoriesOf(ids string) []fields {
	all := []fields{}
	for _, id := range list(ids) {
		if t := c.things(categories(c))[id]; t != nil {
			all = append(all, c.category(t))
		}
	}
	return all
}
