// Live video: fragmented MP4 over a WebSocket into a media element, kept near the live edge.

export type LiveState = "connecting" | "playing" | "waiting" | "failed";

/** What to do about the distance between what is shown and what has arrived, seconds. */
export function chase(behind: number): { rate: number; jump: boolean } {
  if (behind > 2) return { rate: 1, jump: true };
  if (behind > 1) return { rate: 1.2, jump: false };
  if (behind > 0.6) return { rate: 1.07, jump: false };
  return { rate: 1, jump: false };
}

/** Fragments that wait for the buffer; more than that, and this browser does not keep up. */
const WAITING = 120;
const KEEP_S = 15;
const SILENCE_MS = 10_000;
const TRIES = 3;
/** The server's way to say that this camera has no live video now. */
const NO_VIDEO = 4404;

type MediaSourceKind = typeof MediaSource;

function mediaSource(): MediaSourceKind | null {
  const scope = window as { ManagedMediaSource?: MediaSourceKind; MediaSource?: MediaSourceKind };
  return scope.MediaSource ?? scope.ManagedMediaSource ?? null;
}

export interface LiveListener {
  state: (state: LiveState) => void;
  /** Seconds between what is shown and the newest that has arrived. */
  behind: (seconds: number) => void;
}

/** Plays one camera in `video` until closed; says `failed` when pictures must come another way. */
export class LivePlayer {
  private socket: WebSocket | null = null;
  private source: MediaSource | null = null;
  private buffer: SourceBuffer | null = null;
  private url: string | null = null;
  private readonly queue: ArrayBuffer[] = [];
  private tries = 0;
  private closed = false;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private silence: ReturnType<typeof setTimeout> | undefined;
  private readonly pulse: ReturnType<typeof setInterval>;

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly address: string,
    private readonly listener: LiveListener,
  ) {
    this.pulse = setInterval(() => {
      this.keepUp();
    }, 250);
    this.connect();
  }

  close(): void {
    this.closed = true;
    clearInterval(this.pulse);
    this.drop();
  }

  private connect(): void {
    if (this.closed) return;
    this.listener.state("connecting");
    const Source = mediaSource();
    if (!Source) {
      this.listener.state("failed");
      return;
    }
    const socket = new WebSocket(this.address);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    this.expect();
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (socket !== this.socket) return;
      this.expect();
      if (typeof data === "string") {
        this.open(Source, (JSON.parse(data) as { mime: string }).mime);
      } else {
        this.queue.push(data);
        if (this.queue.length > WAITING) this.again();
        else this.feed();
      }
    };
    socket.onclose = ({ code }) => {
      if (socket !== this.socket) return;
      if (code === NO_VIDEO) this.tries = TRIES;
      this.again();
    };
  }

  private open(Source: MediaSourceKind, mime: string): void {
    if (!Source.isTypeSupported(mime)) {
      this.drop();
      this.listener.state("failed");
      return;
    }
    const source = new Source();
    this.source = source;
    this.url = URL.createObjectURL(source);
    source.addEventListener("sourceopen", () => {
      if (source !== this.source) return;
      const buffer = source.addSourceBuffer(mime);
      buffer.addEventListener("updateend", () => {
        this.feed();
      });
      this.buffer = buffer;
      this.feed();
    });
    // Safari's managed source asks for this; for the others it changes nothing.
    this.video.disableRemotePlayback = true;
    this.video.src = this.url;
    void this.video.play().catch(() => undefined);
  }

  private feed(): void {
    const { buffer, source, video } = this;
    if (!buffer || buffer.updating || source?.readyState !== "open") return;
    try {
      const first = buffer.buffered.length > 0 ? buffer.buffered.start(0) : 0;
      if (video.currentTime - first > 2 * KEEP_S) {
        buffer.remove(first, video.currentTime - KEEP_S);
        return;
      }
      const next = this.queue.shift();
      if (next) buffer.appendBuffer(next);
    } catch {
      this.again();
    }
  }

  private keepUp(): void {
    const { video, buffer } = this;
    if (!buffer || this.source?.readyState !== "open" || buffer.buffered.length === 0) return;
    const last = buffer.buffered.length - 1;
    const edge = buffer.buffered.end(last);
    const start = buffer.buffered.start(last);
    if (video.currentTime < start) video.currentTime = start;
    const behind = edge - video.currentTime;
    const { rate, jump } = chase(behind);
    if (jump) video.currentTime = Math.max(start, edge - 0.3);
    video.playbackRate = rate;
    if (video.paused) void video.play().catch(() => undefined);
    const playing = video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA;
    if (playing) this.tries = 0;
    this.listener.state(playing ? (behind < 0.02 ? "waiting" : "playing") : "waiting");
    this.listener.behind(Math.max(0, behind));
  }

  /** The line is taken for dead when nothing arrives for a while. */
  private expect(): void {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => {
      this.again();
    }, SILENCE_MS);
  }

  private again(): void {
    this.drop();
    if (this.closed) return;
    this.tries += 1;
    if (this.tries >= TRIES) {
      this.listener.state("failed");
      return;
    }
    this.listener.state("connecting");
    this.retry = setTimeout(() => {
      this.connect();
    }, 1000 * this.tries);
  }

  private drop(): void {
    clearTimeout(this.retry);
    clearTimeout(this.silence);
    const { socket } = this;
    this.socket = null;
    socket?.close();
    this.queue.length = 0;
    this.buffer = null;
    this.source = null;
    if (this.url !== null) {
      this.video.removeAttribute("src");
      this.video.load();
      URL.revokeObjectURL(this.url);
      this.url = null;
    }
  }
}
