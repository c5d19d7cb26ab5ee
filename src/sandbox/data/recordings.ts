/** The host of all recordings. It does not exist. */
export const RECORDINGS_URL = 'https://recordings.example/';

export function toRecordingUrl(organizationKey: string, attemptId: string): string {
  return `${RECORDINGS_URL}${organizationKey}/${attemptId}.wav`;
}

const SAMPLE_RATE = 8_000;
const SECONDS = 4;
const HEADER_BYTES = 44;

/** A telephone rings once, and two voices answer each other in tones: WAV, 8 kHz, mono, 8 bits. */
export function createRecording(): Uint8Array<ArrayBuffer> {
  const samples = SAMPLE_RATE * SECONDS;
  const view = new DataView(new ArrayBuffer(HEADER_BYTES + samples));
  writeHeader(view, samples);
  for (let index = 0; index < samples; index += 1) {
    const seconds = index / SAMPLE_RATE;
    view.setUint8(HEADER_BYTES + index, 128 + Math.round(60 * amplitudeAt(seconds)));
  }
  return new Uint8Array(view.buffer);
}

/** From -1 to 1. */
function amplitudeAt(seconds: number): number {
  const wave = (hertz: number) => Math.sin(2 * Math.PI * hertz * seconds);
  if (seconds < 1) return (wave(440) + wave(480)) / 2;
  const isPause = seconds % 0.5 > 0.35;
  if (isPause) return 0;
  return wave(seconds % 1 < 0.5 ? 220 : 165) * 0.8;
}

function writeHeader(view: DataView, bytes: number): void {
  const writeText = (at: number, text: string) => {
    for (let index = 0; index < text.length; index += 1)
      view.setUint8(at + index, text.charCodeAt(index));
  };
  writeText(0, 'RIFF');
  view.setUint32(4, HEADER_BYTES - 8 + bytes, true);
  writeText(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  // PCM, one channel.
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, SAMPLE_RATE, true);
  view.setUint32(28, SAMPLE_RATE, true);
  view.setUint16(32, 1, true);
  view.setUint16(34, 8, true);
  writeText(36, 'data');
  view.setUint32(40, bytes, true);
}
