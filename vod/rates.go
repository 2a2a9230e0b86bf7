package vod

// DocumentedRates are the calls per second that the service documents for an
// account and all its RAM users together, for [alimedia.NewRateLimit]. They
// hold for the regions of the Chinese mainland and Singapore; others have
// lower ones for uploads, and the service may lower them under load. Operations
// that are not listed have no documented rate.
//
// https://help.aliyun.com/document_detail/342790.html
func DocumentedRates() map[string]float64 {
	return map[string]float64{
		"AddCategory":               30,
		"AddTranscodeTemplateGroup": 5,
		"CancelUrlUploadJobs":       50,
		"CreateUploadAttachedMedia": 80,
		"CreateUploadImage":         80,
		"CreateUploadVideo":         80,
		"DeleteCategory":            10,
		"DeleteMultipartUpload":     10,
		"DeleteVideo":               30,
		"GetCategories":             50,
		"GetPlayInfo":               360,
		"GetTranscodeTask":          15,
		"GetURLUploadInfos":         100,
		"GetUploadDetails":          100,
		"GetVideoInfo":              100,
		"GetVideoPlayAuth":          360,
		"RefreshUploadVideo":        80,
		"RegisterMedia":             50,
		"SearchMedia":               50,
		"SetMessageCallback":        15,
		"UpdateCategory":            100,
		"UpdateVideoInfo":           100,
		"UploadStreamByURL":         100,
	}
}
