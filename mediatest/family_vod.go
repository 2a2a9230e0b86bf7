package mediatest

// vodFamilies are the resources and jobs of VOD that need no code of their own.
var vodFamilies = []*family{
	{service: "vod", kind: "AITemplate", id: "TemplateId", create: "AddAITemplate", get: "GetAITemplate", list: "ListAITemplate",
		update: "UpdateAITemplate", delete: "DeleteAITemplate", fields: "IsDefault=NotDefault Source=Custom",
		set: map[string]string{"SetDefaultAITemplate": "IsDefault=Default"}},
	{service: "vod", kind: "Template", id: "VodTemplateId", create: "AddVodTemplate", get: "GetVodTemplate", list: "ListVodTemplate",
		update: "UpdateVodTemplate", delete: "DeleteVodTemplate", fields: "IsDefault=NotDefault"},
	{service: "vod", kind: "TranscodeTemplateGroup", id: "TranscodeTemplateGroupId", create: "AddTranscodeTemplateGroup", get: "GetTranscodeTemplateGroup",
		list: "ListTranscodeTemplateGroup", update: "UpdateTranscodeTemplateGroup", delete: "DeleteTranscodeTemplateGroup",
		fields: "IsDefault=NotDefault Locked=Disabled", made: groupMade, set: map[string]string{"SetDefaultTranscodeTemplateGroup": "IsDefault=Default"}},
	{service: "vod", kind: "Watermark", id: "WatermarkId", notFound: "NoSuchResource", create: "AddWatermark", get: "GetWatermark", list: "ListWatermark",
		update: "UpdateWatermark", delete: "DeleteWatermark", fields: "IsDefault=NotDefault", set: map[string]string{"SetDefaultWatermark": "IsDefault=Default"}},
	{service: "vod", kind: "EditingProject", id: "ProjectId", create: "AddEditingProject", get: "GetEditingProject", list: "SearchEditingProject",
		update: "UpdateEditingProject", delete: "DeleteEditingProject", fields: "Status=Normal"},
	{service: "vod", kind: "App", id: "AppId", create: "CreateAppInfo", list: "ListAppInfo GetAppInfos", update: "UpdateAppInfo",
		delete: "DeleteAppInfo", fields: "Status=Normal Type=Custom"},
	{service: "vod", kind: "SecurityGroup", key: "SecurityGroupName", create: "SetAuditSecurityIp", list: "ListAuditSecurityIp"},
	{service: "vod", kind: "Domain", id: "DomainName", key: "DomainName", create: "AddVodDomain", get: "DescribeVodDomainDetail", list: "DescribeVodUserDomains",
		update: "UpdateVodDomain", delete: "DeleteVodDomain", fields: "DomainStatus=online", set: map[string]string{}},

	// Jobs.
	{service: "vod", kind: "AIImageJob", id: "JobId", create: "SubmitAIImageJob", list: "GetAIImageJobs", states: "processing processing success fail", made: needsVideo},
	{service: "vod", kind: "AIJob", id: "JobId", list: "ListAIJob", states: "init processing success fail"},
	{service: "vod", kind: "MediaAuditJob", event: "AIMediaAuditComplete", id: "JobId", create: "SubmitAIMediaAuditJob SubmitAIImageAuditJob", get: "GetAIMediaAuditJob", states: "init processing success fail"},
	{service: "vod", kind: "WatermarkExtractJob", id: "JobId", create: "SubmitDigitalWatermarkExtractJob", list: "GetDigitalWatermarkExtractResult", states: "Processing Processing Success Failed"},
	{service: "vod", kind: "WorkflowJob", event: "WorkflowTaskComplete", id: "TaskId", create: "SubmitWorkflowJob", states: "Processing Processing Succeed Failed"},
	{service: "vod", kind: "MediaRefreshJob", event: "SubmitMediaRefreshComplete", id: "MediaRefreshJobId", create: "RefreshMediaPlayUrls", list: "GetMediaRefreshJobs",
		states: "processing processing success fail", made: firstOfMediaIds},
}
