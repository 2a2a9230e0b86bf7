// Starts Chromium as the Go test asks.
import { chromium } from 'playwright-core';

export function env(name, fallback) {
  const value = process.env[`INTEROP_${name}`] ?? fallback;
  if (value === undefined) {
    throw new Error(`INTEROP_${name} is not set: these files are started by "go test ./browser"`);
  }
  return value;
}

export const app = env('APP');

// launch leads every host name to the front, where there is one, and takes the
// front's certificate and no other bad one.
export function launch() {
  const args = ['--disable-quic', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
  const front = env('FRONT', '');
  if (front) {
    args.push(`--host-resolver-rules=MAP * ${front}`, `--ignore-certificate-errors-spki-list=${env('PIN')}`);
  } else {
    args.push('--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost, EXCLUDE 127.0.0.1');
  }
  return chromium.launch({ executablePath: env('CHROMIUM'), args });
}

// shot keeps a picture of the page where someone wants to look at it.
export async function shot(page, name) {
  const folder = env('SCREENSHOTS', '');
  if (folder) {
    await page.screenshot({ path: `${folder}/${name}.png` });
  }
}
