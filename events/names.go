package events

// The documented event types. The receiver passes on events of other types as
// well.
const (
	// Uploads and registration.
	FileUploadComplete          = "FileUploadComplete"
	UploadByURLComplete         = "UploadByURLComplete" // VOD: also of a stream, with FileType Stream
	ImageUploadComplete         = "ImageUploadComplete"
	AttachedMediaUploadComplete = "AttachedMediaUploadComplete"
	RegisterMediaComplete       = "RegisterMediaComplete"
	RegisterStreamComplete      = "RegisterStreamComplete"
	StreamUploadComplete        = "StreamUploadComplete"
	UploadStreamByURLComplete   = "UploadStreamByURLComplete"

	// The library.
	CreateAuditComplete             = "CreateAuditComplete"
	DeleteMediaComplete             = "DeleteMediaComplete"
	MediaBaseChangeComplete         = "MediaBaseChangeComplete"
	RestoreMediaComplete            = "RestoreMediaComplete"
	SubmitMediaRefreshComplete      = "SubmitMediaRefreshComplete"
	UpdateMediaStorageClassComplete = "UpdateMediaStorageClassComplete"

	// Processing.
	DynamicImageComplete            = "DynamicImageComplete"
	MediaConvertComplete            = "MediaConvertComplete"
	MediaConvertOutputComplete      = "MediaConvertOutputComplete"
	MediaConvertOutputGroupComplete = "MediaConvertOutputGroupComplete"
	SnapshotComplete                = "SnapshotComplete"
	StreamTranscodeComplete         = "StreamTranscodeComplete" // VOD: one stream
	TranscodeComplete               = "TranscodeComplete"       // VOD: all streams, a success when one of them is; IMS: one job
	TranscodeParentComplete         = "TranscodeParentComplete"
	VideoAnalysisComplete           = "VideoAnalysisComplete"
	WorkflowTaskComplete            = "WorkflowTaskComplete"

	// AI. In EventTypeList of SetMessageCallback those of VOD are AIComplete.
	AIMediaAuditComplete    = "AIMediaAuditComplete"
	AIMediaDNAComplete      = "AIMediaDNAComplete"
	AIProduceComplete       = "AIProduceComplete"
	AIVideoTagComplete      = "AIVideoTagComplete"
	MediaAiAnalysisComplete = "MediaAiAnalysisComplete"

	// Editing.
	BatchProduceMediaComplete = "BatchProduceMediaComplete"
	ProduceMediaComplete      = "ProduceMediaComplete"

	// Live streams.
	AddLiveRecordVideoComplete  = "AddLiveRecordVideoComplete"
	LiveRecordFileCreated       = "LiveRecordFileCreated"
	LiveRecordTaskStatus        = "LiveRecordTaskStatus"
	LiveRecordVideoComposeStart = "LiveRecordVideoComposeStart"
	LiveSnapshotFileCreated     = "LiveSnapshotFileCreated"
)
