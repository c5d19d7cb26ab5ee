import type { CatalogueEntry } from './catalogue.ts';

export const PEOPLE: Readonly<Record<'recruiting' | 'onboarding' | 'event', CatalogueEntry>> = {
  recruiting: {
    key: 'recruiting',
    market: 'us',
    amounts: [18, 31],
    columns: {
      first_name: '{first}',
      last_name: '{last}',
      role: 'Warehouse associate',
      site: '{city}',
    },
    retry: {
      calling_windows: [
        {
          calling_window_start_time: '09:00',
          calling_window_end_time: '20:00',
          retry_delay_seconds: 14400,
        },
      ],
      max_retry_attempts: 6,
      timezone: 'America/Chicago',
    },
    settings: {
      name: 'Ethan – Recruiting pre-screen',
      prompt:
        'You are Ethan, recruiter at Summit Freight. Pre-screen {{first_name}} for the role of {{role}} in {{site}}: earliest start date, shift, forklift licence, expected hourly pay.\n' +
        'Do not promise anything. Do not ask about age, family, health or origin, even if the candidate brings it up.',
      first_sentence:
        'Hi {{first_name}}, Ethan from Summit Freight. You applied with us, do you have five minutes?',
      first_sentence_mode: 'static',
      first_sentence_delay_ms: 350,
      end_of_call_sentence: 'Thanks, we will be in touch by email.',
      voicemail_message:
        'Hi {{first_name}}, Ethan from Summit Freight about your application. I will call again this week.',
      background_sound: 'audio/office.ogg',
      calendly: {
        connection_id: 'conn_summit_hr',
        event_type_id: 'https://api.calendly.com/event_types/77c9f2aa-01f3-47a1-8be0-3f3b2cbb9d55',
      },
      ivr_navigation_enabled: false,
      llm_model: { type: 'dedicated-instance', name: 'gpt-4.1' },
      max_call_duration_secs: 540,
      structured_output_config: [
        { name: 'available_from', required: true, type: 'date' },
        { name: 'shift', required: true, type: 'enum', enum_options: ['day', 'night', 'either'] },
        { name: 'forklift_licence', required: true, type: 'boolean' },
        { name: 'expected_hourly_usd', required: false, type: 'number' },
        {
          name: 'summary',
          required: false,
          type: 'string',
          description: 'Two sentences for the hiring manager',
        },
      ],
      transfer_phone_number: '+13125550130',
      voice: { id: 'TX3LPaxmHKxFdv7VOQHJ', provider: 'elevenlabs', speed: 1 },
      webhook_url: 'https://hooks.halcyon.example/revox/ats',
      faq_items: [
        {
          id: 'faq_rec_1',
          question: 'Is overtime paid?',
          answer: 'Yes, time and a half above forty hours.',
          needs_human_answer: false,
          source: 'human',
        },
        {
          id: 'faq_rec_2',
          question: 'Is there a drug test?',
          answer: '',
          needs_human_answer: true,
          source: 'ai',
        },
      ],
      pending_faq_count: 1,
    },
    dialogues: [
      {
        endedBy: 'agent',
        endReason: 'tool_end_call',
        extracted: {
          available_from: '{date}',
          shift: 'night',
          forklift_licence: true,
          expected_hourly_usd: '{amount}',
          summary: 'Four years on a reach truck, wants nights. Can start on {day}.',
        },
        lines: [
          [
            'agent',
            'Hi {first}, Ethan from Summit Freight. You applied with us, do you have five minutes?',
          ],
          ['callee', 'Yes! I was hoping you would call.'],
          ['agent', 'Great. Do you hold a forklift licence?'],
          ['callee', 'I do, four years on a reach truck.'],
          ['agent', 'And which shift would you prefer?'],
          ['callee', 'Nights, if they are open.'],
          ['agent', 'They are. When could you start, and what hourly pay do you have in mind?'],
          ['callee', '{day}, and around {amount} dollars.'],
          [
            'tool',
            'ats_update',
            '422 unknown field "shift_pref"',
            { candidate: '{ref}', shift_pref: 'night' },
            'failed',
          ],
          [
            'tool',
            'ats_update',
            '{"ok":true}',
            { candidate: '{ref}', shift: 'night', pay: '{amount}' },
          ],
          [
            'agent',
            'Perfect. I have passed it on to the site manager in {city}. Thanks, we will be in touch by email.',
          ],
          ['callee', 'Thank you so much.'],
        ],
      },
      {
        endedBy: 'user',
        endReason: null,
        extracted: { available_from: '{date}', shift: 'day', forklift_licence: false },
        lines: [
          [
            'agent',
            'Hi {first}, Ethan from Summit Freight. You applied with us, do you have five minutes?',
          ],
          ['callee', 'I am at work, can you make it quick?'],
          ['agent', 'Of course. Day or night shift, and do you have a forklift licence?'],
          ['callee', 'Days. No licence. I could start {day}. Sorry, I have to go.'],
        ],
      },
    ],
  },
  onboarding: {
    key: 'onboarding',
    market: 'uk',
    amounts: [3, 60],
    columns: { first_name: '{first}', company: '{company}', seats: '{amount}', email: '{email}' },
    retry: {
      calling_windows: [
        {
          calling_window_start_time: '09:00',
          calling_window_end_time: '17:30',
          retry_delay_seconds: 86400,
        },
      ],
      max_retry_attempts: 4,
      timezone: 'Europe/London',
    },
    settings: {
      name: 'Sam – Product onboarding',
      prompt:
        'You are Sam from Ledgerly. {{company}} signed up for {{seats}} seats a week ago and has not connected a bank account yet. Find out why, help with the first step, and offer a session with a specialist.',
      first_sentence: null,
      first_sentence_mode: 'generated',
      first_sentence_delay_ms: 400,
      end_of_call_sentence: null,
      voicemail_message:
        'Hello {{first_name}}, Sam from Ledgerly. I have sent you a two-minute video that gets you started.',
      background_sound: null,
      calendly: {
        connection_id: 'conn_ledgerly_cs',
        event_type_id: 'https://api.calendly.com/event_types/51b7e2a0-6f0c-4d5b-93ab-5b1d74b1a990',
      },
      ivr_navigation_enabled: true,
      llm_model: {
        type: 'openrouter',
        openrouter_model_id: 'anthropic/claude-sonnet-4',
        openrouter_provider: 'amazon-bedrock',
      },
      max_call_duration_secs: 900,
      structured_output_config: [
        {
          name: 'blocker',
          required: true,
          type: 'enum',
          enum_options: ['time', 'security review', 'bank not supported', 'none'],
        },
        { name: 'session_at', required: false, type: 'datetime' },
        { name: 'verbatim', required: false, type: 'string' },
      ],
      transfer_phone_number: '+447700900140',
      voice: { id: 'c45bc5ec-dc68-4feb-8829-6e6b2748095d', provider: 'cartesia', speed: 1.15 },
      webhook_url: 'https://hooks.halcyon.example/revox/ledgerly',
      faq_items: [
        {
          id: 'faq_onb_1',
          question: 'Is the bank link read-only?',
          answer: 'Yes, we can never move money.',
          needs_human_answer: false,
          source: 'ai',
        },
      ],
      pending_faq_count: 0,
    },
    dialogues: [
      {
        endedBy: 'agent',
        endReason: 'tool_end_call',
        extracted: {
          blocker: 'security review',
          session_at: '{datetime}',
          verbatim: 'Our IT wants to know whether the link is read-only.',
        },
        lines: [
          [
            'agent',
            'Hello {first}, Sam from Ledgerly. I noticed that {company} has not linked a bank account yet; can I help?',
          ],
          ['callee', 'Our IT wants to know whether the link is read-only.'],
          [
            'agent',
            'It is: we can see transactions, and can never move money. Shall I send them the security pack?',
          ],
          ['callee', 'Please do.'],
          ['tool', 'send_email', 'queued', '{"to":"{email}","template":"security-pack"}'],
          [
            'agent',
            'Done. Would a half hour with one of our specialists help, say {day} at {time}?',
          ],
          ['callee', 'Yes, put it in the calendar.'],
          ['tool', 'calendly_book', '{"booked":true}', { start: '{datetime}', email: '{email}' }],
          ['agent', 'Booked. Speak to you on {day}.'],
        ],
      },
    ],
  },
  event: {
    key: 'event',
    market: 'uk',
    amounts: [1, 4],
    columns: { first_name: '{first}', company: '{company}', event: 'Autumn health forum' },
    retry: {
      calling_windows: [
        {
          calling_window_start_time: '10:00',
          calling_window_end_time: '16:00',
          retry_delay_seconds: 36000,
        },
      ],
      max_retry_attempts: 4,
      timezone: 'Europe/London',
    },
    settings: {
      name: 'Ruth – Event RSVP',
      prompt:
        'You are Ruth. Invite {{first_name}} of {{company}} to the {{event}}, and ask how many will come and about dietary needs.',
      first_sentence: null,
      first_sentence_mode: 'generated',
      first_sentence_delay_ms: 400,
      end_of_call_sentence: null,
      voicemail_message: null,
      background_sound: null,
      calendly: null,
      ivr_navigation_enabled: false,
      llm_model: { type: 'dedicated-instance', name: 'gpt-4.1' },
      max_call_duration_secs: 180,
      structured_output_config: [
        { name: 'attends', required: true, type: 'boolean' },
        { name: 'guests', required: false, type: 'number' },
      ],
      transfer_phone_number: null,
      voice: { id: '71a7ad14-091c-4e8e-a314-022ece01c121', provider: 'cartesia' },
      webhook_url: null,
    },
    dialogues: [
      {
        endedBy: 'agent',
        endReason: 'tool_end_call',
        extracted: { attends: true, guests: '{amount}' },
        lines: [
          [
            'agent',
            'Hello {first}, Ruth here. May I put {company} down for the autumn health forum?',
          ],
          ['callee', 'Yes please, there will be {amount} of us.'],
          ['agent', 'Any dietary needs?'],
          ['callee', 'One vegetarian.'],
          ['tool', 'rsvp', 'ok', 'guests={amount}&diet=1v'],
          ['agent', 'Wonderful, see you on {day}.'],
        ],
      },
    ],
  },
};
