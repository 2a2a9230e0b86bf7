// aliyun-upload-vod looks for ali-oss under this name.
window['ali-oss'] = window.OSS;
