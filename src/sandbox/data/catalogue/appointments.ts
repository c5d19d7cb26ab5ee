import type { CatalogueEntry } from './catalogue.ts';

export const APPOINTMENTS: Readonly<Record<'reminder' | 'consultation', CatalogueEntry>> = {
  reminder: {
    key: 'reminder',
    market: 'us',
    amounts: [10, 45],
    columns: {
      first_name: '{first}',
      last_name: '{last}',
      appointment: '{datetime}',
      clinic: '{city}',
    },
    retry: {
      calling_windows: [
        {
          calling_window_start_time: '9am',
          calling_window_end_time: '7pm',
          retry_delay_seconds: 7200,
        },
      ],
      max_retry_attempts: 3,
      timezone: 'America/New_York',
    },
    settings: {
      name: 'Grace – Appointment reminder',
      prompt:
        'You are Grace, calling from Maple Street Clinic to confirm the appointment of {{first_name}} {{last_name}} at {{appointment}}.\n' +
        'Confirm, move or cancel. Never discuss the reason for the visit. If they cannot make it, offer the next free slot; the copay is due at check-in.',
      first_sentence:
        'Hi, this is Grace from Maple Street Clinic. Am I speaking with {{first_name}}?',
      first_sentence_mode: 'static',
      first_sentence_delay_ms: 400,
      end_of_call_sentence: 'Thank you, see you soon. Goodbye!',
      voicemail_message:
        'Hi {{first_name}}, this is Maple Street Clinic with a reminder of your appointment. Please call us back to confirm.',
      background_sound: 'audio/office.ogg',
      calendly: null,
      ivr_navigation_enabled: false,
      llm_model: { type: 'dedicated-instance', name: 'ministral-3-8b-instruct' },
      max_call_duration_secs: 180,
      structured_output_config: [
        { name: 'confirmed', required: true, type: 'boolean' },
        {
          name: 'new_time',
          required: false,
          type: 'datetime',
          description: 'Only when the appointment was moved',
        },
      ],
      transfer_phone_number: '+12125550110',
      voice: { id: 'EXAVITQu4vr4xnSDxMaL', provider: 'elevenlabs', speed: 0.9 },
      webhook_url: 'https://hooks.halcyon.example/revox/clinic',
      faq_items: [
        {
          id: 'faq_rem_1',
          question: 'Where do I park?',
          answer: 'Level B2, the first two hours are free.',
          needs_human_answer: false,
          source: 'human',
        },
        {
          id: 'faq_rem_2',
          question: 'Can I bring my toddler?',
          answer: 'Yes, there is a play corner in the waiting room.',
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
        extracted: { confirmed: true },
        lines: [
          ['agent', 'Hi, this is Grace from Maple Street Clinic. Am I speaking with {first}?'],
          ['callee', 'Speaking.'],
          [
            'agent',
            'I am calling to confirm your appointment on {day} at {time}. Will you be able to make it?',
          ],
          ['callee', 'Yes, I will be there. Do I need to bring anything?'],
          ['agent', 'Just your insurance card. The copay of {amount} dollars is due at check-in.'],
          ['callee', 'Got it.'],
          ['tool', 'confirm_appointment', '{"status":"confirmed"}', { patient: '{ref}' }],
          ['agent', 'Thank you, see you soon. Goodbye!'],
        ],
      },
      {
        endedBy: 'user',
        endReason: null,
        extracted: { confirmed: false, new_time: '{datetime}' },
        lines: [
          ['agent', 'Hi, this is Grace from Maple Street Clinic. Am I speaking with {first}?'],
          ['callee', 'Yes, hi. Actually I need to move my appointment, my kid is sick.'],
          ['agent', 'I am sorry to hear that. I have {day} at {time}, would that work?'],
          ['tool', 'next_slots', '["{datetime}"]', 'limit=1'],
          ['callee', 'That works, thanks so much. Bye.'],
        ],
      },
    ],
  },
  consultation: {
    key: 'consultation',
    market: 'fr',
    amounts: [2, 6],
    columns: { prenom: '{first}', nom: '{last}', rendez_vous: '{datetime}' },
    retry: {
      calling_windows: [
        {
          calling_window_start_time: '09:00',
          calling_window_end_time: '18:30',
          retry_delay_seconds: 3600,
        },
      ],
      max_retry_attempts: 6,
      timezone: 'Europe/Paris',
    },
    settings: {
      name: 'Inès – Confirmation de consultation',
      prompt:
        'Vous êtes Inès, secrétaire de la clinique des Tilleuls. Confirmez la consultation de {{prenom}} {{nom}} prévue le {{rendez_vous}}, et rappelez les consignes de préparation.',
      first_sentence: 'Bonjour, clinique des Tilleuls, Inès à l’appareil.',
      first_sentence_mode: 'static',
      first_sentence_delay_ms: 400,
      end_of_call_sentence: 'Bonne journée, au revoir.',
      voicemail_message:
        'Bonjour, la clinique des Tilleuls souhaite confirmer votre consultation. Merci de rappeler le secrétariat.',
      background_sound: 'audio/office.ogg',
      calendly: null,
      ivr_navigation_enabled: false,
      llm_model: { type: 'dedicated-instance', name: 'gpt-4.1' },
      max_call_duration_secs: 240,
      structured_output_config: [
        { name: 'confirme', required: true, type: 'boolean' },
        { name: 'a_jeun_compris', required: false, type: 'boolean' },
      ],
      transfer_phone_number: '+33639980004',
      voice: { id: '65b25c5d-ff07-4687-a04c-da2f43ef6fa9', provider: 'cartesia', speed: 0.9 },
      webhook_url: 'https://hooks.tilleuls.example/revox',
      faq_items: [
        {
          id: 'faq_con_1',
          question: 'Faut-il être à jeun ?',
          answer: 'Oui, six heures avant l’examen.',
          needs_human_answer: false,
          source: 'human',
        },
      ],
      pending_faq_count: 0,
    },
    dialogues: [
      {
        endedBy: 'agent',
        endReason: 'tool_end_call',
        extracted: { confirme: true, a_jeun_compris: true },
        lines: [
          ['agent', 'Bonjour, clinique des Tilleuls, Inès à l’appareil.'],
          ['callee', 'Bonjour, oui ?'],
          ['agent', 'Je vous appelle pour confirmer votre consultation de {day} à {time}.'],
          ['callee', 'C’est bien noté.'],
          ['agent', 'Pensez à venir à jeun, six heures avant. Est-ce clair pour vous ?'],
          ['callee', 'Oui, merci.'],
          ['tool', 'confirm_appointment', 'ok', { dossier: '{ref}' }],
          ['agent', 'Bonne journée, au revoir.'],
        ],
      },
    ],
  },
};
