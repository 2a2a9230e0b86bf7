// The cards of the page.
import { get, sleep } from './backend.js';
import * as memory from './memory.js';
import { Upload, complete, discard } from './upload.js';
import { bytes, left } from './words.js';

const atOnce = 2; // uploads that run at the same time
const uploads = []; // in the order in which they were chosen

const $ = (id) => document.getElementById(id);
const picker = $('file');

// say is read aloud by screen readers.
function say(text) {
  $('news').textContent = text;
}

// add puts a card into a section, which is shown while it has cards.
function add(section, template, { first } = {}) {
  const card = $(template).content.firstElementChild.cloneNode(true);
  const cards = $(section).querySelector('.cards');
  if (first) {
    cards.prepend(card);
  } else {
    cards.append(card);
  }
  $(section).hidden = false;
  return card;
}

function remove(card) {
  const focused = card.contains(document.activeElement);
  const section = card.closest('section');
  card.remove();
  section.hidden = !section.querySelector('.card');
  if (focused) {
    picker.focus();
  }
}

const part = (card, name) => card.querySelector(`.${name}`);

function show(card, message) {
  const element = part(card, 'message');
  element.hidden = !message;
  if (element.textContent !== message) { // an alert that changes is read again
    element.textContent = message;
  }
}

// choose takes files that were picked or dropped.
function choose(files) {
  for (const file of files) {
    const key = memory.keyOf(file);
    if (uploads.some((upload) => upload.key === key && upload.state !== 'done' && upload.state !== 'canceled')) {
      say(`${file.name} is in the list already`);
      continue;
    }
    const rest = document.querySelector(`#unfinished [data-key="${CSS.escape(key)}"]`);
    if (rest) {
      remove(rest);
    }
    const upload = new Upload(file);
    uploads.push(upload);
    follow(upload);
  }
  next();
}

function next() {
  const busy = uploads.filter((u) => u.state === 'starting' || u.state === 'uploading').length;
  uploads.filter((u) => u.state === 'waiting').slice(0, Math.max(0, atOnce - busy)).forEach((u) => u.start());
}

// follow shows an upload from its beginning to its end.
function follow(upload) {
  const card = add('uploads', 'upload-card');
  const { name } = upload.file;
  part(card, 'name').textContent = name;
  card.querySelector('progress').setAttribute('aria-label', `Upload of ${name}`);
  let quarter = Math.floor((upload.loaded / upload.file.size) * 4);
  const draw = () => drawUpload(card, upload);
  const clock = setInterval(draw, 1000);
  upload.addEventListener('change', () => {
    draw();
    const reached = Math.floor((upload.loaded / upload.file.size) * 4);
    if (upload.state === 'uploading' && reached > quarter) {
      quarter = reached;
      say(`${name}: ${quarter * 25} percent`);
    }
    if (['paused', 'finishing', 'failed', 'done', 'canceled'].includes(upload.state)) {
      next();
    }
  });
  upload.addEventListener('done', () => {
    clearInterval(clock);
    const focused = card.contains(document.activeElement);
    say(`${name} is uploaded`);
    const video = present(upload.videoId, name, { first: true });
    if (focused) {
      part(video, 'name').focus();
    }
    remove(card);
  });
  part(card, 'pause').addEventListener('click', () => {
    if (upload.state === 'uploading') {
      upload.pause();
      say(`${name} is paused`);
    } else {
      upload.resume();
    }
  });
  part(card, 'cancel').addEventListener('click', async () => {
    clearInterval(clock);
    remove(card);
    say(`${name} is canceled`);
    await upload.cancel().catch(() => pending(upload.key));
  });
  draw();
}

function drawUpload(card, upload) {
  const { file, state, loaded } = upload;
  const share = file.size ? loaded / file.size : 0;
  card.dataset.state = state;
  card.toggleAttribute('data-final', upload.final);
  card.querySelector('progress').value = share;
  part(card, 'percent').textContent = `${Math.floor(share * 100)} %`;
  part(card, 'state').textContent = progressWords(upload);
  show(card, upload.message);
  const pause = part(card, 'pause');
  const label = { paused: 'Continue', failed: 'Try again' }[state] ?? 'Pause';
  pause.textContent = label;
  pause.setAttribute('aria-label', `${label}: ${file.name}`);
  pause.disabled = !['uploading', 'paused', 'failed'].includes(state);
  pause.hidden = upload.final;
  const cancel = part(card, 'cancel');
  cancel.textContent = upload.final ? 'Remove' : 'Cancel';
  cancel.setAttribute('aria-label', `${cancel.textContent}: ${file.name}`);
  cancel.hidden = state === 'finishing' || state === 'done';
}

function progressWords(upload) {
  const { file, state, loaded } = upload;
  const amount = `${bytes(loaded)} of ${bytes(file.size)}`;
  switch (state) {
    case 'waiting': return `${bytes(file.size)} · waiting for its turn`;
    case 'starting': return 'Starting …';
    case 'paused': return `${amount} · paused`;
    case 'finishing': return 'Uploaded · checking with the service …';
    case 'failed': return loaded > 0 ? amount : bytes(file.size);
    case 'done': return 'Done';
    default:
  }
  const rate = upload.rate();
  if (rate === undefined) {
    return amount;
  }
  return rate > 0 ? `${amount} · ${bytes(rate)}/s · ${left((file.size - loaded) / rate)}` : `${amount} · waiting for the connection`;
}

// pending shows an upload of an earlier visit.
function pending(key) {
  const known = memory.recall(key);
  if (!known) {
    return;
  }
  const card = add('unfinished', 'upload-card');
  card.dataset.key = key;
  part(card, 'name').textContent = known.name;
  const share = known.size ? known.loaded / known.size : 0;
  const bar = card.querySelector('progress');
  bar.value = share;
  bar.setAttribute('aria-label', `Upload of ${known.name}`);
  part(card, 'percent').textContent = `${Math.floor(share * 100)} %`;
  const [go, drop] = [part(card, 'pause'), part(card, 'cancel')];
  drop.textContent = 'Discard';
  drop.setAttribute('aria-label', `Discard: ${known.name}`);
  drop.addEventListener('click', async () => {
    try {
      await discard(key);
      remove(card);
      say(`${known.name} is discarded`);
    } catch (error) {
      show(card, error.message);
    }
  });
  if (known.uploaded) {
    resumeCompletion(card, key, known);
    return;
  }
  part(card, 'state').textContent = `${bytes(known.loaded)} of ${bytes(known.size)} · choose the same file to continue`;
  go.textContent = 'Choose file';
  go.setAttribute('aria-label', `Choose the file ${known.name} to continue`);
  go.addEventListener('click', () => picker.click());
}

// resumeCompletion ends an upload whose bytes had arrived when the page was closed.
async function resumeCompletion(card, key, known) {
  part(card, 'state').textContent = 'Uploaded · checking with the service …';
  part(card, 'pause').hidden = true;
  part(card, 'cancel').hidden = true;
  try {
    const videoId = await complete(key);
    remove(card);
    present(videoId, known.name, { first: true });
  } catch (error) {
    part(card, 'state').textContent = '';
    part(card, 'cancel').hidden = false;
    show(card, error.message);
  }
}

// present shows a video of the user, once, with a player as soon as it can be played.
function present(id, name, where) {
  const shown = document.querySelector(`#videos [data-video-id="${CSS.escape(id)}"]`);
  if (shown) {
    return shown;
  }
  const card = add('videos', 'video-card', where);
  card.dataset.videoId = id;
  part(card, 'name').textContent = name;
  part(card, 'name').tabIndex = -1;
  watch(card, id);
  return card;
}

async function watch(card, id) {
  for (let attempt = 0; card.isConnected; attempt += 1) {
    try {
      const video = await get(`/videos/${encodeURIComponent(id)}`);
      show(card, video.Message ?? '');
      part(card, 'name').textContent = video.Title;
      part(card, 'percent').textContent = bytes(video.Size);
      card.dataset.state = video.State;
      if (video.State === 'ready') {
        play(card, video);
        return;
      }
      if (video.State === 'failed') {
        part(card, 'player').remove();
        return;
      }
    } catch (error) {
      if (attempt >= 20) {
        show(card, error.message);
        return;
      }
    }
    await sleep(Math.min(10, 1 + attempt / 4));
  }
}

function play(card, { Title, PlayURL }) {
  const player = document.createElement('video');
  player.controls = true;
  player.playsInline = true;
  player.preload = 'metadata';
  player.setAttribute('aria-label', Title);
  player.addEventListener('error', () => show(card, 'Your browser cannot play this file.'));
  player.src = PlayURL;
  part(card, 'player').replaceChildren(player);
  say(`${Title} is ready to play`);
}

picker.addEventListener('change', () => {
  choose(picker.files);
  picker.value = ''; // so that the same file can be chosen again
});

// Files may be dropped anywhere: missing the field must not open them.
let depth = 0;
const withFiles = (event) => event.dataTransfer?.types.includes('Files');
for (const kind of ['dragenter', 'dragover', 'dragleave', 'drop']) {
  document.addEventListener(kind, (event) => {
    if (!withFiles(event)) {
      return;
    }
    event.preventDefault();
    depth += { dragenter: 1, dragleave: -1 }[kind] ?? 0;
    if (kind === 'drop') {
      depth = 0;
      choose(event.dataTransfer.files);
    }
    $('drop').classList.toggle('over', depth > 0);
  });
}

for (const { key } of memory.list()) {
  pending(key);
}
get('/videos').then((ids) => ids.forEach((id) => present(id, 'Video'))).catch((error) => say(error.message));
