import type { CatalogueEntry } from './catalogue.ts';

export const DENTAL_CARE: CatalogueEntry = {
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
        ['agent', 'Bonjour {first}, c’est Hugo, du cabinet dentaire des Quais. Je vous dérange ?'],
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
        ['agent', 'Bonjour {first}, c’est Hugo, du cabinet dentaire des Quais. Je vous dérange ?'],
        ['callee', 'Vous tombez bien, j’ai mal depuis {amount} jours à une molaire.'],
        [
          'agent',
          'Je ne peux pas vous conseiller là-dessus, mais je vous passe le cabinet tout de suite.',
        ],
        ['tool', 'transfer_call', 'Transferring', { to: '+33639980003', reason: 'urgence' }],
      ],
    },
  ],
};
