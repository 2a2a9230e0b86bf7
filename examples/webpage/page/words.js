// Numbers in words.
const number = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });

export function bytes(n) {
  for (const [unit, size] of [['GB', 1e9], ['MB', 1e6], ['kB', 1e3]]) {
    if (n >= size) {
      return `${number.format(n / size)} ${unit}`;
    }
  }
  return `${Math.round(n)} bytes`;
}

export function left(seconds) {
  if (seconds < 5) {
    return 'a few seconds left';
  }
  if (seconds < 90) {
    return `about ${Math.ceil(seconds / 5) * 5} seconds left`;
  }
  if (seconds < 90 * 60) {
    return `about ${Math.round(seconds / 60)} minutes left`;
  }
  return `about ${number.format(seconds / 3600)} hours left`;
}
