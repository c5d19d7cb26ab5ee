import type { CatalogueEntry } from './catalogue.ts';

export const COMMUNITY: Readonly<Record<'outage' | 'charity' | 'gym', CatalogueEntry>> = {
  outage: {
    key: 'outage',
    market: 'us',
    amounts: [2, 9],
    columns: { first_name: '{first}', last_name: '{last}', district: '{city}', account: '{ref}' },
    retry: {
      calling_windows: [
        {
          calling_window_start_time: '8am',
          calling_window_end_time: '9pm',
          retry_delay_seconds: 1800,
        },
      ],
      max_retry_attempts: 3,
      timezone: 'America/Denver',
    },
    settings: {
      name: 'Priya – Planned outage notice',
      prompt:
        'You are Priya from Cascade Water. Wait for the other side to speak, also if it is a phone menu: use it to reach a person. Announce the planned water outage in {{district}} and ask whether anyone in the household depends on running water for medical reasons.',
      first_sentence: null,
      first_sentence_mode: 'none',
      first_sentence_delay_ms: 0,
      end_of_call_sentence: 'Thank you for your patience.',
      voicemail_message:
        'This is Cascade Water. Your water will be off for a few hours this week. Details are on our website.',
      background_sound: null,
      calendly: null,
      ivr_navigation_enabled: true,
      llm_model: { type: 'dedicated-instance', name: 'ministral-3-8b-instruct' },
      max_call_duration_secs: 240,
      structured_output_config: [
        { name: 'informed', required: true, type: 'boolean' },
        { name: 'medical_need', required: true, type: 'boolean' },
      ],
      transfer_phone_number: '+13035550150',
      voice: { id: 'pFZP5JQG7iQjIQuC4Bku', provider: 'elevenlabs', speed: 0.85 },
      webhook_url: 'https://hooks.halcyon.example/revox/outage',
    },
    dialogues: [
      {
        endedBy: 'agent',
        endReason: 'tool_end_call',
        extracted: { informed: true, medical_need: false },
        lines: [
          ['callee', 'Hello?'],
          [
            'agent',
            'Hello, Priya from Cascade Water. There is a planned outage in {city} on {day}, for about {amount} hours from {time}.',
          ],
          ['callee', 'Again? All right. Thanks for the warning.'],
          ['agent', 'Does anyone at home depend on running water for medical reasons?'],
          ['callee', 'No, we are fine.'],
          ['agent', 'Thank you for your patience.'],
        ],
      },
      {
        endedBy: 'agent',
        endReason: 'transfer',
        extracted: { informed: true, medical_need: true },
        lines: [
          ['callee', 'Yes, who is this?'],
          [
            'agent',
            'Priya from Cascade Water. The water in {city} will be off on {day} from {time}. Does anyone at home depend on it for medical reasons?',
          ],
          ['callee', 'My husband is on home dialysis!'],
          ['agent', 'Then I will connect you with our priority team right now.'],
          ['tool', 'flag_account', 'flagged', { account: '{ref}', flag: 'medical' }],
          ['tool', 'transfer_call', 'Transferring', { to: '+13035550150' }],
        ],
      },
    ],
  },
  charity: {
    key: 'charity',
    market: 'uk',
    amounts: [5, 60],
    columns: { first_name: '{first}', last_gift: '{amount}' },
    retry: null,
    settings: {
      name: 'Arthur – Donor thank-you',
      prompt:
        'You are Arthur, volunteer of the Moorland Trust. Thank {{first_name}} for the last gift of {{last_gift}} pounds. Ask for nothing.',
      first_sentence: null,
      first_sentence_mode: 'generated',
      first_sentence_delay_ms: 400,
      end_of_call_sentence: null,
      voicemail_message: null,
      background_sound: null,
      calendly: null,
      ivr_navigation_enabled: false,
      llm_model: { type: 'dedicated-instance', name: 'gpt-4.1' },
      max_call_duration_secs: 120,
      structured_output_config: null,
      transfer_phone_number: null,
      voice: null,
      webhook_url: null,
    },
    dialogues: [
      {
        endedBy: 'user',
        endReason: null,
        extracted: null,
        lines: [
          [
            'agent',
            'Good afternoon {first}, Arthur from the Moorland Trust. I am calling only to thank you.',
          ],
          ['callee', 'Oh, how kind. For the {amount} pounds?'],
          ['agent', 'For exactly those. They planted a good stretch of hedge near {city}.'],
          ['callee', 'Well, that has made my day. Goodbye!'],
        ],
      },
    ],
  },
  gym: {
    key: 'gym',
    market: 'us',
    amounts: [19, 49],
    columns: { first_name: '{first}', last_name: '{last}', monthly_fee: '{amount}' },
    retry: {
      calling_windows: [
        {
          calling_window_start_time: '10:00',
          calling_window_end_time: '20:00',
          retry_delay_seconds: 21600,
        },
      ],
      max_retry_attempts: 6,
      timezone: 'America/New_York',
    },
    settings: {
      name: 'Tom – Member win-back',
      prompt:
        'You are Tom from the Tilia wellness club. {{first_name}} cancelled last month. Ask why, and offer {{monthly_fee}} dollars a month for a return within two weeks.',
      first_sentence: 'Hey {{first_name}}, Tom from Tilia. We miss you!',
      first_sentence_mode: 'static',
      first_sentence_delay_ms: 400,
      end_of_call_sentence: 'Take care!',
      voicemail_message:
        'Hey {{first_name}}, Tom from Tilia. There is an offer with your name on it, call us back.',
      background_sound: null,
      calendly: null,
      ivr_navigation_enabled: false,
      llm_model: {
        type: 'openrouter',
        openrouter_model_id: 'openai/gpt-4.1-mini',
        openrouter_provider: 'openai',
      },
      max_call_duration_secs: 240,
      structured_output_config: [
        { name: 'returns', required: true, type: 'boolean' },
        { name: 'reason_left', required: false, type: 'string' },
      ],
      transfer_phone_number: null,
      voice: { id: 'IKne3meq5aSn9XLyUdCD', provider: 'elevenlabs', speed: 1.2 },
      webhook_url: 'https://hooks.tilleuls.example/revox',
    },
    dialogues: [
      {
        endedBy: 'agent',
        endReason: 'tool_end_call',
        extracted: { returns: true, reason_left: 'Moved to {city}, then moved back.' },
        lines: [
          ['agent', 'Hey {first}, Tom from Tilia. We miss you!'],
          ['callee', 'Ha, hi Tom. I had moved to {city}, but I am back.'],
          [
            'agent',
            'Then this is good timing: {amount} dollars a month if you come back within two weeks.',
          ],
          ['callee', 'Deal. I will drop by on {day}.'],
          ['tool', 'apply_offer', 'ok', { member: '{ref}', fee: '{amount}' }],
          ['agent', 'It will be ready at the desk. Take care!'],
        ],
      },
      {
        endedBy: 'user',
        endReason: null,
        extracted: { returns: false, reason_left: 'No time.' },
        lines: [
          ['agent', 'Hey {first}, Tom from Tilia. We miss you!'],
          ['callee', 'I just have no time at the moment, sorry.'],
          ['agent', 'I hear you. The door is open whenever you like. Take care!'],
        ],
      },
    ],
  },
};
