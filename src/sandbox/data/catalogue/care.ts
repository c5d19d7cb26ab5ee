import type { CatalogueEntry } from './catalogue.ts';

export const CARE: Readonly<Record<'dentist' | 'reminder' | 'consultation', CatalogueEntry>> = {
  dentist: {
    key: 'dentist',
    market: 'fr',
    amounts: [1, 4],
    columns: { prenom: '{first}', nom: '{last}', ville: '{city}', dernier_passage: '2023-11' },
    retry: {
      calling_windows: [
        {
          calling_window_start_time: '10:00',
          calling_window_end_time: '12:30',
          retry_delay_seconds: 5400,
        },
        {
          calling_window_start_time: '17:00',
          calling_window_end_time: '19:30',
          retry_delay_seconds: 86400,
        },
      ],
      max_retry_attempts: 4,
      timezone: 'Europe/Paris',
    },
    settings: {
      name: 'Hugo – Rendez-vous dentaire',
      prompt:
        'Tu es Hugo, l’assistant du cabinet dentaire des Quais. Tu rappelles les patients dont le dernier détartrage remonte à plus d’un an.\n' +
        'Propose deux créneaux de l’agenda, réserve celui qui convient, et rappelle d’apporter la carte Vitale. Tu ne donnes aucun avis médical : en cas de douleur, tu passes l’appel au cabinet.',
      first_sentence:
        'Bonjour {{prenom}}, c’est Hugo, du cabinet dentaire des Quais. Je vous dérange ?',
      first_sentence_mode: 'static',
      first_sentence_delay_ms: 500,
      end_of_call_sentence: 'À très bientôt au cabinet.',
      voicemail_message:
        'Bonjour {{prenom}}, le cabinet des Quais vous propose un rendez-vous de contrôle. Rappelez-nous quand vous voulez.',
      background_sound: null,
      calendly: {
        connection_id: 'conn_quais_01',
        event_type_id: 'https://api.calendly.com/event_types/b2330295-2a91-4a1d-bb73-99e7707663d5',
      },
      ivr_navigation_enabled: false,
      llm_model: {
        type: 'openrouter',
        openrouter_model_id: 'openai/gpt-4.1',
        openrouter_provider: 'azure',
      },
      max_call_duration_secs: 360,
      structured_output_config: [
        { name: 'rendez_vous', required: false, type: 'datetime', description: 'Créneau réservé' },
        {
          name: 'motif',
          required: true,
          type: 'enum',
          enum_options: ['contrôle', 'détartrage', 'urgence', 'aucun'],
        },
        { name: 'note', required: false, type: 'string' },
      ],
      transfer_phone_number: '+33639980003',
      voice: { id: '5c3c89e5-535f-43ef-b14d-f8ffe148c1f0', provider: 'cartesia', speed: 1 },
      webhook_url: 'https://hooks.halcyon.example/revox/dentaire',
      faq_items: [
        {
          id: 'faq_den_1',
          question: 'Le détartrage est-il remboursé ?',
          answer: 'Oui, à 60 % du tarif de convention, le reste par votre mutuelle.',
          needs_human_answer: false,
          source: 'human',
        },
        {
          id: 'faq_den_2',
          question: 'Peut-on se garer près du cabinet ?',
          answer: 'Oui, parking des Quais à cent mètres.',
          needs_human_answer: false,
          source: 'ai',
        },
      ],
      pending_faq_count: 2,
    },
    dialogues: [
      {
        endedBy: 'agent',
        endReason: 'tool_end_call',
        extracted: {
          rendez_vous: '{datetime}',
          motif: 'détartrage',
          note: 'Préfère les fins de journée.',
        },
        lines: [
          [
            'agent',
            'Bonjour {first}, c’est Hugo, du cabinet dentaire des Quais. Je vous dérange ?',
          ],
          ['callee', 'Non, allez-y.'],
          [
            'agent',
            'Votre dernier détartrage remonte à plus d’un an. Voulez-vous que nous fixions un rendez-vous ?',
          ],
          ['callee', 'Oui, plutôt en fin de journée si possible.'],
          [
            'tool',
            'calendly_list_slots',
            '[{"start":"{datetime}"}]',
            { event_type: 'detartrage', days: 14 },
          ],
          ['agent', 'J’ai {day} à {time}. Cela vous irait ?'],
          ['callee', 'Oui, très bien.'],
          [
            'tool',
            'calendly_book',
            'slot_no_longer_available',
            { start: '{datetime}', email: '{email}' },
            'failed',
          ],
          ['agent', 'Un instant, l’agenda vient de changer… je réessaie.'],
          ['tool', 'calendly_book', '{"booked":true}', { start: '{datetime}', email: '{email}' }],
          [
            'agent',
            'C’est confirmé, {day} à {time}. Pensez à votre carte Vitale. À très bientôt au cabinet.',
          ],
          ['callee', 'Merci beaucoup, au revoir.'],
          ['tool', 'end_call', 'Call ended', null],
        ],
      },
      {
        endedBy: 'agent',
        endReason: 'transfer',
        extracted: {
          motif: 'urgence',
          note: 'Douleur depuis {amount} jours, molaire en bas à droite.',
        },
        lines: [
          [
            'agent',
            'Bonjour {first}, c’est Hugo, du cabinet dentaire des Quais. Je vous dérange ?',
          ],
          ['callee', 'Vous tombez bien, j’ai mal depuis {amount} jours à une molaire.'],
          [
            'agent',
            'Je ne peux pas vous conseiller là-dessus, mais je vous passe le cabinet tout de suite.',
          ],
          ['tool', 'transfer_call', 'Transferring', { to: '+33639980003', reason: 'urgence' }],
        ],
      },
    ],
  },
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
