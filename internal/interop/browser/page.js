// The page of an application that uses aliyun-upload-vod as its README says. What
// needs the application's keys is asked of its backend.
const $ = (id) => document.getElementById(id);

function log(text) {
  const item = document.createElement('li');
  item.textContent = text;
  $('log').append(item);
}

async function ask(path) {
  const response = await fetch(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' });
  if (!response.ok) {
    throw new Error(await response.text());
  }
  return response.json();
}

function setState(text) {
  $('state').textContent = text;
}

const mode = () => document.querySelector('[name=mode]:checked').value;
let expiries = 0;

const uploader = new AliyunUpload.Vod({
  userId: '1234567890123456',
  region: 'cn-shanghai',
  partSize: 262144,
  parallel: 2,
  retryCount: 1,
  retryDuration: 1,
  addFileSuccess: () => uploader.startUpload(),
  onUploadstarted: async (info) => {
    setState('uploading');
    if (mode() === 'sts') {
      const keys = await ask('/credentials');
      uploader.setSTSToken(info, keys.AccessKeyId, keys.AccessKeySecret, keys.SecurityToken);
      return;
    }
    const out = info.videoId ? await ask(`/refresh?id=${info.videoId}`) : await ask(`/create?name=${encodeURIComponent(info.file.name)}`);
    log(`address and credential for ${out.VideoId}`);
    uploader.setUploadAuthAndAddress(info, out.UploadAuth, out.UploadAddress, out.VideoId);
  },
  onUploadProgress: (info, size, part) => {
    $('progress').value = part * 100;
    log(`${Math.round(part * 100)} % of ${size} bytes`);
  },
  onUploadTokenExpired: async (info) => {
    expiries += 1;
    log(`the token expired after ${info.checkpoint.doneParts.length} parts`);
    const out = await ask(`/refresh?id=${info.videoId}`);
    uploader.resumeUploadWithAuth(out.UploadAuth);
  },
  onUploadSucceed: (info) => {
    document.body.dataset.videoId = info.videoId;
    document.body.dataset.object = info.object;
    document.body.dataset.expiries = expiries;
    setState('uploaded');
  },
  onUploadFailed: (info, code, message) => setState(`failed: ${code}: ${message}`),
  onUploadCanceled: (info) => log(`stopped after ${info.checkpoint.doneParts.length} parts`),
  onUploadEnd: () => log('all files are uploaded'),
});

$('upload').addEventListener('click', () => {
  const file = $('file').files[0];
  uploader.addFile(file, null, null, null, JSON.stringify({ Vod: { Title: `page: ${file.name}`, UserData: { from: 'page' } } }));
});

$('stop').addEventListener('click', () => {
  uploader.stopUpload();
  setState('stopped');
});
