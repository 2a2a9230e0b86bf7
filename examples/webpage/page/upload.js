// One upload: aliyun-upload-vod sends the bytes, the backend has the keys.
import { Failure, post, sleep } from './backend.js';
import * as memory from './memory.js';

const partSize = Number(document.body.dataset.partSize);

// Refusals after which the same upload cannot go on.
const lost = new Set(['UploadNotAllowed', 'UploadExpired', 'UploadNotFound']);
// Refusals that a repetition does not change.
const final = new Set(['TypeNotAllowed', 'FileTooLarge', 'InvalidRequest', 'InvalidUpload', 'EmptyFile', 'UploadFailed']);

// Upload tells of each change by an event "change", and once by "done".
export class Upload extends EventTarget {
  state = 'waiting'; // starting, uploading, paused, finishing, done, failed, canceled
  loaded = 0; // bytes
  message = '';
  final = false; // there is no use in trying again
  #uploader;
  #info;
  #again = () => this.#credential(); // what to do after a failure
  #samples = [];

  constructor(file) {
    super();
    this.file = file;
    this.key = memory.keyOf(file);
    this.loaded = memory.recall(this.key)?.loaded ?? 0;
  }

  #become(state, message = '') {
    this.state = state;
    this.message = message;
    this.dispatchEvent(new Event('change'));
  }

  #fail(error) {
    if (this.state === 'canceled') {
      return;
    }
    this.final = final.has(error.code);
    if (this.final) {
      memory.forget(this.key);
    }
    this.#become('failed', error instanceof Failure ? error.message : 'Something went wrong on this page. Try again.');
  }

  start() {
    if (!window.AliyunUpload || !window.OSS) {
      this.#fail(new Failure('NoUploader', 'The uploader could not be loaded. Check your connection and reload the page.'));
      return;
    }
    if (this.file.size === 0) {
      this.#fail(new Failure('EmptyFile', 'This file is empty.'));
      return;
    }
    memory.stopped(this.key);
    // The uploader reports names and sizes of files to Alibaba's log service unless it
    // has this function.
    window.AliyunUpload.__logTestCallback__ = () => {};
    this.#uploader = new window.AliyunUpload.Vod({
      userId: '1', partSize, parallel: 4, retryCount: 5, retryDuration: 2,
      onUploadstarted: (info) => {
        this.#info = info;
        this.#credential();
      },
      onUploadProgress: (info, total, part) => this.#progress(part * total),
      onUploadTokenExpired: () => this.#renew(),
      onUploadSucceed: () => this.#finish(),
      onUploadFailed: (info, code) => this.#interrupted(code),
      onUploadCanceled: () => {},
    });
    this.#uploader.addFile(this.file, null, null, null, '{"Vod":{}}');
    this.#uploader.startUpload();
  }

  // credential asks for an address and a credential: fresh ones of the upload that the
  // page remembers, or those of a new one.
  async #credential() {
    this.#again = () => this.#credential();
    this.#become('starting');
    try {
      const out = await this.#resumed() ?? await this.#created();
      if (this.state === 'canceled') {
        await this.#discard();
        return;
      }
      this.#samples = [];
      this.#become('uploading');
      this.#uploader.setUploadAuthAndAddress(this.#info, out.UploadAuth, out.UploadAddress, out.VideoId);
    } catch (error) {
      if (error.code === 'AlreadyUploaded') {
        this.#finish();
        return;
      }
      this.#fail(error);
    }
  }

  async #resumed() {
    const known = memory.recall(this.key);
    if (!known) {
      memory.forgetParts(this.key); // of another time or another page
    }
    if (known && (!this.#info.videoId || this.#info.videoId === known.videoId)) {
      try {
        return (await post('/uploads/refresh', { VideoId: known.videoId }, known.token)).answer;
      } catch (error) {
        if (!lost.has(error.code)) {
          throw error;
        }
      }
    }
    memory.forget(this.key);
    this.#info.videoId = '';
    this.#info.checkpoint = '';
    this.loaded = 0;
    return null;
  }

  async #created() {
    const { name, size, type } = this.file;
    const { answer, token } = await post('/uploads', { FileName: name, FileSize: size, ContentType: type });
    memory.remember(this.key, { videoId: answer.VideoId, token, name, size, loaded: 0 });
    return answer;
  }

  // renew goes on after the credential has expired.
  async #renew() {
    this.#again = () => this.#renew();
    const known = memory.recall(this.key);
    try {
      if (!known) {
        throw new Failure('UploadNotFound', 'This page has forgotten the upload. Choose the file again.');
      }
      const { answer } = await post('/uploads/refresh', { VideoId: known.videoId }, known.token);
      if (this.state === 'uploading' || this.state === 'failed') {
        this.#samples = [];
        this.#become('uploading');
        this.#uploader.resumeUploadWithAuth(answer.UploadAuth);
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  #progress(bytes) {
    if (this.state !== 'uploading') {
      return;
    }
    this.loaded = bytes;
    this.#samples.push({ at: performance.now(), bytes });
    memory.remember(this.key, { loaded: bytes });
    this.dispatchEvent(new Event('change'));
  }

  // rate is in bytes per second, over the last ten seconds. It is undefined at first.
  rate() {
    const now = performance.now();
    while (this.#samples.length > 2 && now - this.#samples[1].at > 10_000) {
      this.#samples.shift();
    }
    const [first] = this.#samples;
    if (this.#samples.length < 2 || now - first.at < 500) {
      return undefined;
    }
    return (this.loaded - first.bytes) / ((now - first.at) / 1000);
  }

  // interrupted says in words why the uploader gave up.
  #interrupted(code) {
    if (code === 'NoSuchUpload') { // its parts are gone: the service keeps them for 7 days
      memory.forgetParts(this.key);
      this.#info.checkpoint = '';
      this.loaded = 0;
    }
    this.#again = () => this.#uploader.startUpload();
    this.#fail(new Failure(code, navigator.onLine
      ? 'The connection to the storage broke. Try again: what is uploaded is kept.'
      : 'You are offline. Try again when you are connected: what is uploaded is kept.'));
  }

  pause() {
    if (this.state === 'uploading') {
      this.#become('paused');
      this.#uploader.stopUpload();
    }
  }

  resume() {
    if (this.state === 'paused') {
      memory.stopped(this.key);
      this.#uploader.startUpload();
    } else if (this.state === 'failed') {
      this.#again();
    }
  }

  // cancel stops the uploader; the backend deletes what it made.
  async cancel() {
    const was = this.state;
    this.#become('canceled');
    if (was === 'uploading') {
      this.#uploader.stopUpload();
    }
    if (was !== 'starting') { // which does it when it has the VideoId
      await this.#discard();
    }
  }

  async #discard() {
    await discard(this.key);
  }

  // finish waits until the backend has heard of the file from the service.
  async #finish() {
    if (this.state === 'canceled') {
      return;
    }
    this.#again = () => this.#finish();
    this.loaded = this.file.size;
    memory.remember(this.key, { loaded: this.loaded, uploaded: true });
    this.#become('finishing');
    try {
      this.videoId = await complete(this.key);
      this.#become('done');
      this.dispatchEvent(new Event('done'));
    } catch (error) {
      this.#fail(error);
    }
  }
}

// complete returns the VideoId of an upload whose file has arrived.
export async function complete(key) {
  const { videoId, token } = memory.recall(key);
  try {
    for (let attempt = 0; attempt < 60; attempt += 1) {
      const { ready, wait } = await post('/uploads/complete', { VideoId: videoId }, token);
      if (ready) {
        memory.forget(key);
        return videoId;
      }
      await sleep(Math.min(5, wait + attempt / 4));
    }
  } catch (error) {
    if (lost.has(error.code) || final.has(error.code)) {
      memory.forget(key);
    }
    throw error;
  }
  throw new Failure('Slow', 'The service has not confirmed the file yet. Try again in a few minutes.');
}

// discard deletes an upload that is not finished. If the backend cannot be asked, it
// stays in the list.
export async function discard(key) {
  const known = memory.recall(key);
  if (!known) {
    memory.forgetParts(key);
    return;
  }
  try {
    await post('/uploads/cancel', { VideoId: known.videoId }, known.token);
  } catch (error) {
    if (!lost.has(error.code) && error.code !== 'AlreadyUploaded') {
      throw error;
    }
  }
  memory.forget(key);
}
