import type { DialError, Json, TranscriptMessage } from '#sandbox/api/wire.ts';
import type { CatalogueEntry, Line } from '#sandbox/data/catalogue/catalogue.ts';
import type { Outcome } from './call-script.ts';
import type { ContactFacts, Language } from './contacts.ts';
import { COUNTRIES } from './contacts.ts';
import type { Random } from './random.ts';

/** The kind of callee that answers. */
export type AnsweredBy = 'human' | 'voicemail' | 'IVR' | 'ios-screening-filter' | 'unknown';

/** The outcome of an answered attempt. */
export function generateConversation(
  random: Random,
  entry: CatalogueEntry,
  facts: ContactFacts,
  answeredBy: AnsweredBy,
  recordingUrl: string | null,
): Outcome {
  const ringMs = random.between(2_000, 19_000);
  const noise = random.between(0, 4_999);
  const base = {
    result: answeredBy,
    dialError: null,
    ringMs,
    structuredOutput: null,
    recordingUrl,
  };
  if (answeredBy === 'human') {
    const { lines, extracted, endedBy, endReason } = random.pick(entry.dialogues);
    const messages = lines.map((line) => toMessage(line, facts));
    const talkMs = Math.min(
      messages.length * 7_000 + noise,
      entry.settings.max_call_duration_secs * 1000,
    );
    const structuredOutput =
      extracted === null ? null : (fillValue(extracted, facts) as { [key: string]: Json });
    return { ...base, talkMs, endedBy, endReason, structuredOutput, lines: messages };
  }
  const { lines, ...end } = toMachineDialogue(
    random,
    entry,
    answeredBy,
    COUNTRIES[entry.market].language,
  );
  return {
    ...base,
    ...end,
    talkMs: 9_000 + lines.length * 4_000 + noise,
    lines: lines.map((line) => toMessage(line, facts)),
  };
}

/** The outcome of an attempt that was not answered. */
export function generateDialError(random: Random, dialError: DialError): Outcome {
  const ringMs =
    dialError === 'no_answer' ? random.between(25_000, 45_000) : random.between(400, 3_000);
  return {
    result: null,
    dialError,
    ringMs,
    talkMs: 0,
    endedBy: null,
    endReason: null,
    lines: [],
    structuredOutput: null,
    recordingUrl: null,
  };
}

function toMachineDialogue(
  random: Random,
  entry: CatalogueEntry,
  answeredBy: AnsweredBy,
  language: Language,
): { lines: readonly Line[]; endedBy: Outcome['endedBy']; endReason: string | null } {
  const isFrench = language === 'fr';
  const localized = (french: string, english: string) => (isFrench ? french : english);
  if (answeredBy === 'voicemail') {
    const greeting = localized(
      'Bonjour, vous êtes bien sur la messagerie de {first}. Laissez un message après le bip.',
      'Hi, you have reached {first}. Please leave a message after the tone.',
    );
    const message = entry.settings.voicemail_message?.replace(/\{\{\w+\}\}/g, '{first}');
    return {
      lines:
        message === undefined || message === null
          ? [['callee', greeting]]
          : [
              ['callee', greeting],
              ['agent', message],
            ],
      endedBy: 'agent',
      endReason: 'voicemail',
    };
  }
  if (answeredBy === 'IVR') {
    const menu: Line = [
      'callee',
      localized(
        'Bienvenue chez {company}. Pour le service commercial, tapez 1 ; pour la comptabilité, tapez 2.',
        'Thank you for calling {company}. For sales, press 1. For all other enquiries, press 2.',
      ),
    ];
    if (!entry.settings.ivr_navigation_enabled)
      return { lines: [menu], endedBy: 'agent', endReason: 'ivr_no_navigate' };
    const closed: Line = [
      'callee',
      localized(
        'Nos bureaux sont fermés. Merci de rappeler.',
        'Our offices are closed. Please call back later.',
      ),
    ];
    return {
      lines: [
        menu,
        ['tool', 'send_dtmf', 'sent', { digits: '2' }],
        closed,
        ['tool', 'skip_turn', 'skipped', null],
      ],
      endedBy: 'user',
      endReason: null,
    };
  }
  if (answeredBy === 'ios-screening-filter') {
    const screen: Line = [
      'callee',
      localized(
        'Bonjour. Si vous indiquez votre nom et le motif de votre appel, je verrai si la personne est disponible.',
        'Hi, if you record your name and reason for calling, I will see if this person is available.',
      ),
    ];
    const reason: Line = [
      'agent',
      localized(
        'Bonjour, c’est au sujet du dossier {ref} de {first} {last}.',
        'Hello, this is about reference {ref}, for {first} {last}.',
      ),
    ];
    return {
      lines: [
        screen,
        reason,
        ['callee', localized('Merci. Ne quittez pas.', 'Thank you. Please stay on the line.')],
      ],
      endedBy: 'user',
      endReason: null,
    };
  }
  return {
    lines: random.chance(0.5)
      ? []
      : [['agent', localized('Allô ? Est-ce que vous m’entendez ?', 'Hello? Can you hear me?')]],
    endedBy: 'system',
    endReason: random.chance(0.5) ? 'silence_timeout' : null,
  };
}

function toMessage(line: Line, facts: ContactFacts): TranscriptMessage {
  if (line[0] !== 'tool')
    return {
      content: fillPlaceholders(line[1], facts),
      role: line[0] === 'agent' ? 'assistant' : 'user',
    };
  const [, name, returned, given, failed] = line;
  return {
    content: fillPlaceholders(returned, facts),
    role: 'tool',
    tool_arguments: fillValue(given, facts) as { [key: string]: Json } | string | null,
    tool_is_error: failed === 'failed',
    tool_name: name,
  };
}

/** Fills the placeholders of a text. `{{these}}` belong to the API and are not replaced. */
export function fillPlaceholders(text: string, facts: ContactFacts): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) =>
    name in facts ? String(facts[name as keyof ContactFacts]) : whole,
  );
}

function fillValue(value: Json, facts: ContactFacts): Json {
  if (typeof value === 'string') {
    const placeholder = /^\{(\w+)\}$/.exec(value)?.[1];
    return placeholder !== undefined && placeholder in facts
      ? facts[placeholder as keyof ContactFacts]
      : fillPlaceholders(value, facts);
  }
  if (Array.isArray(value)) return value.map((item) => fillValue(item, facts));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, fillValue(item, facts)]),
  );
}
