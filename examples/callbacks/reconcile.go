package main

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/vod"
)

// asker asks the services how an asset is.
type asker struct {
	vod *vod.Client
	ice *ice.Client
}

// state returns the state of an asset; empty while it is processed.
func (k asker) state(ctx context.Context, a asset) (state, code string, err error) {
	status := ""
	if a.Service == "ice" {
		info, err := k.ice.GetMediaInfo(ctx, ice.GetMediaInfoRequest{MediaId: a.MediaId})
		if alimedia.IsNotFound(err) {
			return deleted, "", nil
		}
		if err != nil {
			return "", "", err
		}
		status = info.MediaInfo.MediaBasicInfo.Status
	} else {
		info, err := k.vod.GetVideoInfo(ctx, vod.GetVideoInfoRequest{VideoId: a.MediaId})
		if alimedia.IsNotFound(err) {
			return deleted, "", nil
		}
		if err != nil {
			return "", "", err
		}
		status = info.Video.Status
	}
	switch {
	case strings.EqualFold(status, "Normal"):
		return ready, "", nil
	case strings.HasSuffix(status, "Fail"), status == "Blocked":
		return failed, status, nil
	}
	return "", "", nil
}

// reconcile asks the service about assets of which nothing was heard for a while:
// it gives up a callback after three attempts. The time between two questions about
// one asset doubles. It returns how many assets have changed.
func (s *store) reconcile(ctx context.Context, k asker, silence time.Duration) (changed int, err error) {
	now := time.Now()
	late, err := s.list(ctx, `SELECT `+columns+` FROM assets WHERE state IN ('expected', 'uploaded') AND updated_at <= $1 ORDER BY updated_at LIMIT 100`,
		now.Add(-silence).UnixMilli())
	if err != nil {
		return 0, err
	}
	var failures []error
	for _, a := range late {
		if now.UnixMilli()-a.CheckedAt < silence.Milliseconds()<<min(a.Checks, 10) {
			continue
		}
		asked := time.Now().UnixMilli()
		state, code, err := k.state(ctx, a)
		if err != nil {
			failures = append(failures, err)
			continue
		}
		if state != "" {
			changed++
		}
		err = s.db.within(ctx, func(tx *sql.Tx) error {
			return s.change(ctx, tx, a.MediaId, a.Service, func(a *asset) error {
				// An event that came in the meantime is as good as the response.
				a.become(state, asked, code)
				a.Checks, a.CheckedAt = a.Checks+1, asked
				return nil
			})
		})
		if err != nil {
			return changed, err
		}
	}
	return changed, errors.Join(failures...)
}

// reconcileUntil reconciles from time to time until ctx ends.
func (s *store) reconcileUntil(ctx context.Context, k asker, silence time.Duration) {
	ticker := time.NewTicker(max(silence/2, time.Second))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if n, err := s.reconcile(ctx, k, silence); err != nil && ctx.Err() == nil {
			slog.Warn("reconcile", "error", err)
		} else if n > 0 {
			slog.Info("reconcile", "assets", n)
		}
	}
}
