package ingest

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/aliyun/aliyun-oss-go-sdk/oss"
)

// Folder gives a job for each regular file in a folder and below it. Hidden files
// and folders, and links, are left out. If there are extensions, only files
// with one of them count, such as "mp4", in any case. The segments of a playlist are
// files like others: leave them out by the extensions. Workers read the files
// below a [Root] of the same name, which is the absolute path of dir.
func Folder(dir string, target Target, extensions ...string) Source {
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	var wanted []string
	for _, ext := range extensions {
		wanted = append(wanted, "."+strings.ToLower(strings.TrimPrefix(ext, ".")))
	}
	return &folder{dir: dir, target: target, extensions: wanted}
}

type folder struct {
	dir        string
	target     Target
	extensions []string
}

// ID implements [Source].
func (s *folder) ID() string { return identify("folder", s.dir, s.target, s.extensions) }

// Items implements [Source].
func (s *folder) Items(ctx context.Context, after string) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		root, err := os.OpenRoot(s.dir)
		if err != nil {
			yield(Item{}, err)
			return
		}
		defer root.Close()
		skip := strings.Split(after, "/")
		err = fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
			switch {
			case ctx.Err() != nil:
				return context.Cause(ctx)
			case err != nil:
				if !yield(Item{Job: s.job(name, nil)}, err) {
					return fs.SkipAll
				}
				return nil
			case name == ".":
				return nil
			case strings.HasPrefix(d.Name(), "."):
				if d.IsDir() {
					return fs.SkipDir
				}
				return nil
			}
			here := strings.Split(name, "/")
			if after != "" && slices.Compare(here, skip) <= 0 && !(d.IsDir() && len(here) <= len(skip) && slices.Equal(here, skip[:len(here)])) {
				if d.IsDir() {
					return fs.SkipDir
				}
				return nil
			}
			if !d.Type().IsRegular() || len(s.extensions) > 0 && !slices.Contains(s.extensions, strings.ToLower(filepath.Ext(name))) {
				return nil
			}
			info, err := d.Info()
			if errors.Is(err, fs.ErrNotExist) {
				return nil // removed meanwhile
			}
			if !yield(Item{s.job(name, info), name}, err) {
				return fs.SkipAll
			}
			return nil
		})
		if err != nil {
			yield(Item{}, err)
		}
	}
}

func (s *folder) job(name string, info fs.FileInfo) Job {
	j := Job{Input: Input{Root: s.dir, File: name}, Target: s.target}
	if info != nil {
		j.Input.Version = fmt.Sprintf("%d@%d", info.Size(), info.ModTime().UnixNano())
	}
	return j
}

// URLs gives a job for each line of a text: a URL, or a [Job] as JSON on one line
// whose target is target if it has none. Empty lines and lines that begin with
// "#" are left out. name identifies the text when a submission is resumed.
func URLs(name string, text io.Reader, target Target) Source {
	return &lines{name: name, text: text, target: target}
}

type lines struct {
	name   string
	text   io.Reader
	target Target
}

// ID implements [Source].
func (s *lines) ID() string {
	if s.name == "" {
		return ""
	}
	return identify("urls", s.name, s.target, nil)
}

// Items implements [Source]. A position is the number of a line with a digest of
// the line, by which another text of the same name is recognized.
func (s *lines) Items(ctx context.Context, after string) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		number, _, _ := strings.Cut(after, " ")
		stop, _ := strconv.Atoi(number)
		scanner := bufio.NewScanner(s.text)
		scanner.Buffer(nil, maxJob)
		n := 1
		for ; scanner.Scan() && ctx.Err() == nil; n++ {
			line := strings.TrimSpace(strings.TrimPrefix(scanner.Text(), "\ufeff"))
			position := strconv.Itoa(n) + " " + digest(line)
			switch {
			case n == stop && position != after:
				yield(Item{}, errOtherText)
				return
			case n <= stop || line == "" || line[0] == '#':
				continue
			}
			job, err := s.job(line)
			if err != nil {
				err = fmt.Errorf("line %d: %w", n, err)
			}
			if !yield(Item{job, position}, err) {
				return
			}
		}
		err := cmp.Or(context.Cause(ctx), scanner.Err())
		if err == nil && n <= stop {
			err = errOtherText
		}
		if err != nil {
			yield(Item{}, err)
		}
	}
}

// errOtherText means that the interrupted submission was of another text.
var errOtherText = errors.New("the text has changed since its submission was interrupted: restart the submission")

func (s *lines) job(line string) (Job, error) {
	if line[0] != '{' {
		return Job{Input: Input{URL: line}, Target: s.target}, nil
	}
	var j Job
	d := json.NewDecoder(bytes.NewReader([]byte(line)))
	d.DisallowUnknownFields()
	if err := d.Decode(&j); err != nil {
		return j, fmt.Errorf("%w: not a job", ErrJob)
	}
	if j.Target == (Target{}) {
		j.Target = s.target
	}
	return j, nil
}

// Objects gives a job for each object of an OSS bucket whose key begins with
// prefix, in the order of the keys. Keys that end in a slash are left out. region
// is that of the bucket, see [Input]. The bucket is listed with ListObjectsV2,
// which needs the permission oss:ListObjects.
func Objects(bucket *oss.Bucket, region, prefix string, target Target, extensions ...string) Source {
	var wanted []string
	for _, ext := range extensions {
		wanted = append(wanted, "."+strings.ToLower(strings.TrimPrefix(ext, ".")))
	}
	return &objects{bucket, region, prefix, target, wanted}
}

type objects struct {
	bucket         *oss.Bucket
	region, prefix string
	target         Target
	extensions     []string
}

// ID implements [Source].
func (s *objects) ID() string {
	return identify("objects", s.bucket.BucketName+"\x00"+s.region+"\x00"+s.prefix, s.target, s.extensions)
}

// Items implements [Source].
func (s *objects) Items(ctx context.Context, after string) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		for {
			page, err := s.bucket.ListObjectsV2(oss.Prefix(s.prefix), oss.StartAfter(after), oss.MaxKeys(1000), oss.WithContext(ctx))
			if err != nil {
				yield(Item{}, fmt.Errorf("listing the bucket %s: %w", s.bucket.BucketName, clean(err)))
				return
			}
			before := after
			for _, o := range page.Objects {
				if o.Key <= after || !strings.HasPrefix(o.Key, s.prefix) {
					yield(Item{}, fmt.Errorf("listing the bucket %s: the list is not in order", s.bucket.BucketName))
					return
				}
				after = o.Key
				if strings.HasSuffix(o.Key, "/") || len(s.extensions) > 0 && !slices.Contains(s.extensions, strings.ToLower(filepath.Ext(o.Key))) {
					continue
				}
				input := Input{Bucket: s.bucket.BucketName, Object: o.Key, Region: s.region, Version: strings.Trim(o.ETag, `"`)}
				if !yield(Item{Job{Input: input, Target: s.target}, o.Key}, nil) {
					return
				}
			}
			if !page.IsTruncated {
				return
			}
			if after == before {
				yield(Item{}, fmt.Errorf("listing the bucket %s: a page without objects is not the last one", s.bucket.BucketName))
				return
			}
		}
	}
}

// identify names a source: what is to become of the same files may differ.
func identify(kind, name string, target Target, more []string) string {
	text, _ := json.Marshal(target)
	return strings.Join(append([]string{kind, name, string(text)}, more...), "\x00")
}
