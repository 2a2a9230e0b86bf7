package alimedia_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

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
		{status: 404, code: "MediaIdsNoExist", notFound: true},
		{status: 404, code: "VideoNonExist", notFound: true},
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

		// A prefix is not a meaning.
		{status: 403, code: "Forbidden", denied: true},
		{status: 403, code: "forbidden.ram", denied: true},
		{status: 403, code: "Forbidden.SubUser", denied: true},
		{status: 403, code: "Forbidden.NoPermission", denied: true},
		{status: 403, code: "Forbidden.AccessDenied", denied: true},
		{status: 403, code: "Forbidden.UserNotAuthorized", denied: true},
		{status: 403, code: "NoPermission.Operation", denied: true},
		{status: 403, code: "AccessDenied", denied: true},
		{status: 401, code: "UnauthorizedOperation", denied: true},
		{status: 403, code: "Forbidden.IllegalStatus"},
		{status: 400, code: "Forbidden.IllegalStatus"},
		{status: 403, code: "Forbidden.AliyunVoDEncryption"},
		{status: 403, code: "Forbidden.ResourceNotEmpty"},
		{status: 403, code: "Forbidden.InitFailed"},
		{status: 403, code: "Forbidden.LockedTemplateGroup"},
		{status: 403, code: "Forbidden.DefaultTemplateGroup"},
		{status: 403, code: "Forbidden.SpecialTemplateGroup"},
		{status: 404, code: "Forbidden.KeyNotFound", notFound: true},
		{status: 403, code: "ForbiddenX"},
		{status: 404, code: "NoSuchResource", notFound: true},
		{status: 404, code: "ProjectNotFound", notFound: true},
		{status: 404, code: "InvalidRegionId.NotFound"},
		{status: 404, code: "InvalidUser.NotFound"},
		{status: 409, code: "ResourceExisted", exists: true},
		{status: 409, code: "InvalidName.Duplicate", exists: true},
		{status: 404, code: "ResourceNotExisted", notFound: true},
		{status: 404, code: "ResourceNonExist", notFound: true},

		// What asks for patience.
		{status: 403, code: "ServiceBusy", throttled: true, retryable: true},
		{status: 403, code: "RequestsTooFrequent", throttled: true, retryable: true},
		{status: 400, code: "FlowControl", throttled: true, retryable: true},
		{status: 400, code: "Api.FlowControl.User", throttled: true, retryable: true},
		{status: 400, code: "UserThrottling", throttled: true, retryable: true},
		{status: 400, code: "TooManyRequests", throttled: true, retryable: true},
		{status: 503, code: "QpsLimitExceeded", throttled: true, retryable: true},
		{status: 400, code: "InvalidFlowControlRule"},
		{status: 400, code: "LimitExceeded"},

		// What fails on the other side.
		{status: 400, code: "SystemBusy", retryable: true},
		{status: 509, retryable: true},
		{status: 520, retryable: true},
		{status: 522, retryable: true},
		{status: 524, retryable: true},
		{status: 408, retryable: true},
		{status: 501},
		{status: 505},
		{status: 200, retryable: true},
		{status: 200, code: "InvalidParameter"},
		{status: 203, code: "CallbackFailed"},
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

func TestKindsOfErrors_WhatGoesWithTheCode(t *testing.T) {
	t.Parallel()
	for status, throttled := range map[int]bool{200: false, 302: false, 400: true, 403: true, 409: true, 499: true, 500: false} {
		err := &alimedia.Error{StatusCode: status, Code: "X", RetryAfter: time.Second}
		require.Equal(t, throttled, alimedia.IsThrottled(err), status)
	}
	detail := map[string]any{"NoPermissionType": "ImplicitDeny"}
	require.True(t, alimedia.IsAccessDenied(&alimedia.Error{StatusCode: 403, Code: "Other", AccessDeniedDetail: detail}))
	require.False(t, alimedia.IsAccessDenied(&alimedia.Error{StatusCode: 403, Code: "Throttling", AccessDeniedDetail: detail}))
}

func TestError_CodeWrittenForTheOfficialSDKKeepsWorking(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("x: %w", &alimedia.Error{Code: "Forbidden.RAM", StatusCode: 403, Message: "m", Description: "d", RequestId: "R",
		Recommend: "https://h/?a=b&c", AccessDeniedDetail: map[string]any{"k": "v"}})
	var sdk *tea.SDKError
	require.ErrorAs(t, err, &sdk)
	require.Equal(t, "Forbidden.RAM", tea.StringValue(sdk.Code))
	require.Equal(t, "m", tea.StringValue(sdk.Message))
	require.Equal(t, "d", tea.StringValue(sdk.Description))
	require.Equal(t, map[string]any{"k": "v"}, sdk.AccessDeniedDetail)
	require.JSONEq(t, `{"Code":"Forbidden.RAM","Message":"m","Description":"d","RequestId":"R","Recommend":"https://h/?a=b&c",
		"AccessDeniedDetail":{"k":"v"},"statusCode":403}`, tea.StringValue(sdk.Data))
	require.Contains(t, tea.StringValue(sdk.Data), "a=b&c", "as Alibaba's client writes it")
	require.True(t, errors.As(&alimedia.Error{AccessDeniedDetail: map[string]any{"k": func() {}}}, &sdk), "a detail that is no JSON")
	require.NotErrorAs(t, err, new(*alimedia.ValidationError))
}

func TestError_B60_OneShortLine(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("长 line\n\x1b[31m", 10_000)
	for _, e := range []error{
		&alimedia.Error{Action: long, Code: long, Message: long, RequestId: long, HostId: long, Recommend: long, StatusCode: 500},
		&alimedia.Error{Message: long, RequestId: "R-9"},
		&alimedia.JobError{JobId: long, Status: long, Code: long, Message: long},
	} {
		require.LessOrEqual(t, len(e.Error()), 1024)
		require.Equal(t, -1, strings.IndexFunc(e.Error(), func(r rune) bool { return !unicode.IsPrint(r) }))
		require.True(t, utf8.ValidString(e.Error()))
	}
	require.Contains(t, (&alimedia.Error{Message: long, RequestId: "R-9"}).Error(), "[request id R-9]")
	var out bytes.Buffer
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "err", &alimedia.Error{Action: long, Code: long, Message: long, RequestId: long, RetryAfter: time.Second})
	require.LessOrEqual(t, out.Len(), 2048)
	require.Contains(t, out.String(), "err.retry_after=1s")
}

func TestError_Text(t *testing.T) {
	t.Parallel()
	e := &alimedia.Error{Action: "DeleteVideo", Code: "InvalidVideo.NotFound", Message: "gone", RequestId: "R", StatusCode: 404}
	require.EqualError(t, e, "alimedia: DeleteVideo: InvalidVideo.NotFound (HTTP 404): gone [request id R]")
	require.EqualError(t, &alimedia.Error{}, "alimedia: unexpected response")
	var out bytes.Buffer
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "err", e)
	require.Contains(t, out.String(), "err.action=DeleteVideo err.code=InvalidVideo.NotFound err.status=404 err.request_id=R")
}

func TestError_Advice(t *testing.T) {
	t.Parallel()
	require.Contains(t, (&alimedia.Error{Product: "vod", Action: "GetPlayInfo", Code: "Throttling.User"}).Advice(), "Config.RateLimit")
	require.Empty(t, (&alimedia.Error{Code: "Unknown"}).Advice())
	require.Empty(t, new(alimedia.Error).Advice())
}
