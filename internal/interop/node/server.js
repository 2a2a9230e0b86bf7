// What the Go test that starts these files says of its server.
import { createHash, randomBytes } from 'node:crypto';

const need = (name) => {
  const value = process.env[name];
  if (!value) {
    throw new Error(`${name} is not set: these files are started by "go test ./node"`);
  }
  return value;
};

export const url = need('MEDIATEST_URL');
export const port = new URL(url).port;
export const accessKeyId = need('MEDIATEST_ACCESS_KEY_ID');
export const accessKeySecret = need('MEDIATEST_ACCESS_KEY_SECRET');
export const bucket = need('MEDIATEST_BUCKET');
export const account = need('MEDIATEST_ACCOUNT');
export const tlsHost = need('MEDIATEST_TLS_HOST'); // the same server by TLS
export const region = 'cn-shanghai';

// ali-oss writes the bucket before the host of an endpoint, unless sldEnable
// says that it stands in the path.
export const ossEndpoint = { endpoint: `http://localhost:${port}`, sldEnable: true };

export const sha256 = (data) => createHash('sha256').update(data).digest('hex');

export const noise = (size) => randomBytes(size);

// rejection is the error of a promise that must fail.
export async function rejection(promise) {
  try {
    await promise;
  } catch (err) {
    return err;
  }
  throw new Error('the call succeeded');
}
