package credentials

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"time"
	"unicode"

	"github.com/alimedia/alimedia-go/internal/retry"
)

// external runs the program of a profile of mode External, which prints keys
// as JSON. What it prints is never quoted: it is, or may hold, a secret.
type external struct{ command string }

func (e *external) fetch(ctx context.Context) (Credentials, error) {
	args, err := splitCommand(e.command, runtime.GOOS != "windows")
	if err != nil {
		return Credentials{}, err
	}
	out := &limited{left: maxResponse}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stdout = out
	// A child of the program may keep its output open.
	cmd.WaitDelay = 2 * time.Second
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return Credentials{}, fmt.Errorf("the process_command was stopped: %w", retry.ContextError(ctx))
	case out.left < 0:
		return Credentials{}, fmt.Errorf("the process_command printed more than %d KiB", maxResponse>>10)
	case errors.Is(err, exec.ErrNotFound):
		return Credentials{}, errors.New("the program of the process_command is not found")
	case errors.As(err, &exit):
		return Credentials{}, fmt.Errorf("the process_command failed: %s", exit.ProcessState)
	default:
		return Credentials{}, errors.New("the process_command cannot be run")
	}
	var doc struct {
		Mode            string `json:"mode"`
		AccessKeyId     string `json:"access_key_id"`
		AccessKeySecret string `json:"access_key_secret"`
		SecurityToken   string `json:"sts_token"`
		Expiration      string `json:"expiration"`
	}
	if json.Unmarshal(bytes.TrimSpace(out.buf.Bytes()), &doc) != nil {
		return Credentials{}, errors.New("the output of the process_command is not the JSON document it should be")
	}
	switch strings.ToLower(doc.Mode) {
	case "ak", "":
		doc.SecurityToken = ""
	case "ststoken":
		if doc.SecurityToken == "" {
			return Credentials{}, errors.New("the output of the process_command has no sts_token")
		}
	default:
		return Credentials{}, errors.New("the output of the process_command is of a mode other than AK and StsToken")
	}
	c := Credentials{AccessKeyId: doc.AccessKeyId, AccessKeySecret: doc.AccessKeySecret, SecurityToken: doc.SecurityToken, Source: "External"}
	if doc.Expiration != "" {
		if c.Expires, err = time.Parse(time.RFC3339, doc.Expiration); err != nil {
			return Credentials{}, errors.New("the expiration in the output of the process_command is not a time like 2006-01-02T15:04:05Z")
		}
	}
	return c, nil
}

// limited keeps what is written to it as long as that is not too much.
type limited struct {
	buf  bytes.Buffer
	left int // negative once it was too much
}

func (l *limited) Write(p []byte) (int, error) {
	if l.left -= len(p); l.left < 0 {
		return 0, errors.New("too much")
	}
	return l.buf.Write(p)
}

// splitCommand splits a command at its blanks. Quotes, single or double, hold
// an argument together. Where escapes is set, a backslash outside single quotes
// takes the next character as it is; between double quotes only a quote and
// another backslash.
func splitCommand(text string, escapes bool) ([]string, error) {
	var args []string
	var arg strings.Builder
	begun := false
	quote := rune(0)
	characters := []rune(text)
	for i := 0; i < len(characters); i++ {
		r := characters[i]
		switch {
		case quote == 0 && unicode.IsSpace(r):
			if begun {
				args = append(args, arg.String())
				arg.Reset()
			}
			begun = false
			continue
		case quote == 0 && (r == '"' || r == '\''):
			quote = r
		case r == quote:
			quote = 0
		case r == '\\' && quote != '\'' && i+1 < len(characters) && escapable(characters[i+1], quote, escapes):
			i++
			arg.WriteRune(characters[i])
		default:
			arg.WriteRune(r)
		}
		begun = true
	}
	if begun {
		args = append(args, arg.String())
	}
	switch {
	case quote != 0:
		return nil, errors.New("a quote of the process_command is not closed")
	case len(args) == 0 || args[0] == "":
		return nil, errors.New("the process_command is empty")
	}
	return args, nil
}

// escapable reports whether a backslash before r stands for r alone. Without
// escapes, as on Windows, where a backslash is part of paths, it does so
// before a double quote between double quotes only.
func escapable(r, quote rune, escapes bool) bool {
	if quote == '"' {
		return r == '"' || escapes && strings.ContainsRune("\\$`", r)
	}
	return escapes
}
