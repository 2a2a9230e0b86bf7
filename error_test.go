package alimedia_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"github.com/alibabacloud-go/tea/tea"
	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
)

func apiError(status int, code string) error {
	return fmt.Errorf("wrapped: %w", &alimedia.Error{Action: "X", StatusCode: status, Code: code})
}

func TestHasCode(t *testing.T) {
	t.Parallel()
	tests := []struct {
		code, ask string
		want      bool
	}{
		{"Throttling", "Throttling", true},
		{"Throttling.User", "Throttling", true},
		{"throttling.user", "Throttling.User", true},
		{"ThrottlingUser", "Throttling", false},
		{"Throttling", "Throttling.User", false},
		{"ServiceUnAvailable", "ServiceUnavailable", true},
		{"", "Throttling", false},
	}
	for _, tt := range tests {
		require.Equal(t, tt.want, alimedia.HasCode(apiError(400, tt.code), tt.ask), "%s %s", tt.code, tt.ask)
	}
	require.False(t, alimedia.HasCode(nil, "X"))
	require.False(t, alimedia.HasCode(errors.New("Throttling"), "Throttling"))
}

func TestKindsOfErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		status                              int
		code                                string
		notFound, throttled, exists, denied bool
		retryable                           bool
	}{
		{status: 404, code: "InvalidVideo.NotFound", notFound: true},
		{status: 404, code: "MediaNotExist", notFound: true},
		{status: 404, code: "NoSuchKey"},
		{status: 404, code: "InvalidApi.NotFound"},
		{status: 404, code: "InvalidAccessKeyId.NotFound"},
		{status: 400, code: "Throttling.Api", throttled: true, retryable: true},
		{status: 429, throttled: true, retryable: true},
		{status: 409, code: "MediaAlreadyExist", exists: true},
		{status: 409, code: "Category.AlreadyExists", exists: true},
		{status: 403, code: "Forbidden.RAM", denied: true},
		{status: 403, code: "NoPermission", denied: true},
		{status: 403, code: "OperationDenied.Suspended"},
		{status: 500, code: "InternalError", retryable: true},
		{status: 502, retryable: true},
		{status: 503, code: "ServiceUnAvailable", retryable: true},
		{status: 400, code: "InvalidParameter"},
	}
	for _, tt := range tests {
		err := apiError(tt.status, tt.code)
		require.Equal(t, tt.notFound, alimedia.IsNotFound(err), tt.code)
		require.Equal(t, tt.throttled, alimedia.IsThrottled(err), tt.code)
		require.Equal(t, tt.exists, alimedia.IsAlreadyExists(err), tt.code)
		require.Equal(t, tt.denied, alimedia.IsAccessDenied(err), tt.code)
		var e *alimedia.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, tt.retryable, e.Retryable(), tt.code)
	}
	require.False(t, alimedia.IsNotFound(nil))
	require.False(t, alimedia.IsThrottled(errors.New("x")))
}

func TestError_CodeWrittenForTheOfficialSDKKeepsWorking(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("x: %w", &alimedia.Error{Code: "Forbidden.RAM", StatusCode: 403, Message: "m", AccessDeniedDetail: map[string]any{"k": "v"}})
	var sdk *tea.SDKError
	require.ErrorAs(t, err, &sdk)
	require.Equal(t, "Forbidden.RAM", tea.StringValue(sdk.Code))
	require.Equal(t, "m", tea.StringValue(sdk.Message))
	require.Equal(t, map[string]any{"k": "v"}, sdk.AccessDeniedDetail)
	require.NotErrorAs(t, err, new(*alimedia.ValidationError))
}

func TestError_Text(t *testing.T) {
	t.Parallel()
	e := &alimedia.Error{Action: "DeleteVideo", Code: "InvalidVideo.NotFound", Message: "gone", RequestId: "R", StatusCode: 404}
	require.EqualError(t, e, "alimedia: DeleteVideo: InvalidVideo.NotFound (HTTP 404): gone [request id R]")
	require.EqualError(t, &alimedia.Error{}, "alimedia: unexpected answer")
	var out bytes.Buffer
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "err", e)
	require.Contains(t, out.String(), "err.action=DeleteVideo err.code=InvalidVideo.NotFound err.status=404 err.request_id=R")
}
