package webupload

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxBytes is the maximum length of the body of a request.
const MaxBytes = 16 << 10

// Bounds of what a browser may say.
const (
	maxFileName = 255 // bytes
	maxText     = 4 << 10
	maxTags     = 16
	maxMembers  = 32
)

// Request is what a browser wants to upload, for the policy. Its texts are valid
// UTF-8 without control characters, except for line breaks and tabs in the
// Description.
type Request struct {
	// Owner is the result of Config.Owner.
	Owner string

	// FileName is the name of the file without a folder, at most 255 bytes.
	FileName string

	// Extension is that of the FileName, in lower case and without the dot. It has 1
	// to 16 letters and digits.
	Extension string

	// FileSize is the size in bytes as the browser says it, at least 1.
	FileSize int64

	// ContentType is the type as the browser says it, such as "video/mp4", which it
	// derives from the extension. It can be empty.
	ContentType string

	// Title, Description, Tags (at most 16), Target and Metadata (at most 32 members)
	// are for the policy to interpret: none of them is used otherwise.
	Title       string
	Description string
	Tags        []string
	Target      string
	Metadata    map[string]string

	// HTTP is the request without its body.
	HTTP *http.Request
}

func invalid(message string) *Refusal {
	return Refuse(http.StatusBadRequest, "InvalidRequest", message)
}

// decodeCreate reads the body of Create.
func decodeCreate(body []byte) (Request, error) {
	var r Request
	err := object(body, map[string]any{
		"FileName": &r.FileName, "FileSize": &r.FileSize, "ContentType": &r.ContentType, "Title": &r.Title,
		"Description": &r.Description, "Tags": &r.Tags, "Target": &r.Target, "Metadata": &r.Metadata,
	})
	if err != nil {
		return Request{}, err
	}
	r.Extension = strings.ToLower(strings.TrimPrefix(path.Ext(r.FileName), "."))
	switch {
	case !plainName(r.FileName):
		return Request{}, invalid("FileName must be a name of 1 to 255 bytes without a folder and without control characters.")
	case !plainExtension(r.Extension):
		return Request{}, invalid("FileName must have an extension of 1 to 16 letters and digits.")
	case r.FileSize < 1:
		return Request{}, invalid("FileSize must be the size of the file in bytes, at least 1.")
	case len(r.Tags) > maxTags || len(r.Metadata) > maxMembers:
		return Request{}, invalid("There are more than 16 Tags or 32 members of Metadata.")
	case !plain(strings.NewReplacer("\n", "", "\r", "", "\t", "").Replace(r.Description)):
		return Request{}, invalid("Description has control characters or more than 4,096 bytes.")
	}
	texts := append([]string{r.ContentType, r.Title, r.Target}, r.Tags...)
	for name, value := range r.Metadata {
		texts = append(texts, name, value)
	}
	if i := slices.IndexFunc(texts, func(text string) bool { return !plain(text) }); i >= 0 {
		return Request{}, invalid("A text has control characters or more than 4,096 bytes.")
	}
	return r, nil
}

// decodeId reads the body of Refresh and Complete.
func decodeId(body []byte) (string, error) {
	var video, media, image string
	if err := object(body, map[string]any{"VideoId": &video, "MediaId": &media, "ImageId": &image}); err != nil {
		return "", err
	}
	id := video + media + image
	if id != video && id != media && id != image || id == "" {
		return "", invalid("Exactly one of VideoId, MediaId and ImageId is required.")
	}
	return id, nil
}

// object decodes a JSON object. Its names are those of fields, exactly, and none
// comes twice: encoding/json alone takes the last of several, in any case, so that
// two readers could read two different requests.
func object(text []byte, fields map[string]any) error {
	seen := map[string]bool{}
	err := members(text, func(name string, value json.RawMessage) error {
		field, known := fields[name]
		switch {
		case !known:
			return errors.New("unknown name")
		case seen[name]:
			return errors.New("duplicate name")
		case bytes.Equal(value, []byte("null")):
			return errors.New("null")
		}
		seen[name] = true
		if m, ok := field.(*map[string]string); ok {
			return stringMap(value, m)
		}
		return json.Unmarshal(value, field)
	})
	if err != nil {
		return invalid("The body is not a JSON object of the documented members.")
	}
	return nil
}

func stringMap(text []byte, m *map[string]string) error {
	*m = map[string]string{}
	return members(text, func(name string, value json.RawMessage) error {
		if _, double := (*m)[name]; double || len(*m) > maxMembers || len(value) == 0 || value[0] != '"' {
			return errors.New("not a text, a duplicate name, or too many")
		}
		var v string
		err := json.Unmarshal(value, &v)
		(*m)[name] = v
		return err
	})
}

// members calls each with the members of a JSON object that is all of the text.
func members(text []byte, each func(name string, value json.RawMessage) error) error {
	if !json.Valid(text) {
		return errors.New("not JSON")
	}
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return errors.New("not an object")
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return err
		}
		if err := each(name.(string), value); err != nil { // a name is always a string
			return err
		}
	}
	return nil
}

// plain reports whether a text can be shown and logged: no control characters, none
// that change the direction of what follows, and nothing that was not UTF-8.
func plain(text string) bool {
	return len(text) <= maxText && !strings.ContainsFunc(text, func(c rune) bool {
		return unicode.IsControl(c) || c == utf8.RuneError || unicode.Is(unicode.Bidi_Control, c) || c == '\u2028' || c == '\u2029'
	})
}

func plainName(name string) bool {
	return name != "" && len(name) <= maxFileName && plain(name) && !strings.ContainsAny(name, `/\`) && strings.Trim(name, ". ") != ""
}

func plainExtension(ext string) bool {
	return ext != "" && len(ext) <= 16 && !strings.ContainsFunc(ext, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < '0' || c > '9')
	})
}
