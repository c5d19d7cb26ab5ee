import type { CatalogueEntry } from './catalogue.ts';

export const HOME: Readonly<Record<'solar' | 'renovation', CatalogueEntry>> = {
  solar: {
    key: 'solar',
    market: 'us',
    amounts: [110, 420],
    columns: {
      first_name: '{first}',
      last_name: '{last}',
      city: '{city}',
      monthly_bill: '{amount}',
      lead_source: 'web form',
    },
    retry: {
      calling_windows: [
        {
          calling_window_start_time: '10am',
          calling_window_end_time: '1pm',
          retry_delay_seconds: 10800,
        },
        {
          calling_window_start_time: '4pm',
          calling_window_end_time: '8pm',
          retry_delay_seconds: 64800,
        },
      ],
      max_retry_attempts: 6,
      timezone: 'America/Los_Angeles',
    },
    settings: {
      name: 'Olivia – Solar lead qualification',
      prompt:
        'You are Olivia from Brightroof Solar. {{first_name}} asked for a quote on our website.\n' +
        'Qualify: do they own the home, what is the roof made of, how much is the monthly bill. If all three fit, book a free home survey in the calendar. Be warm, never pushy; one question at a time.',
      first_sentence: null,
      first_sentence_mode: 'generated',
      first_sentence_delay_ms: 800,
      end_of_call_sentence: 'Thanks for your time, and enjoy the sunshine!',
      voicemail_message:
        'Hi {{first_name}}, Olivia from Brightroof Solar about the quote you asked for. I will try again tomorrow.',
      background_sound: 'audio/office.ogg',
      calendly: {
        connection_id: 'conn_brightroof_us',
        event_type_id: 'https://api.calendly.com/event_types/0d6f2c1e-9c55-4f0b-8a55-1f3f6d0a7c11',
      },
      ivr_navigation_enabled: false,
      llm_model: {
        type: 'openrouter',
        openrouter_model_id: 'openai/gpt-4.1',
        openrouter_provider: 'openai',
      },
      max_call_duration_secs: 600,
      structured_output_config: [
        {
          name: 'owns_home',
          required: true,
          type: 'boolean',
          description: 'True only if they own, not rent',
        },
        {
          name: 'roof',
          required: false,
          type: 'enum',
          enum_options: ['asphalt', 'tile', 'metal', 'flat', 'other'],
        },
        { name: 'monthly_bill_usd', required: false, type: 'number' },
        {
          name: 'survey_at',
          required: false,
          type: 'datetime',
          description: 'When the home survey is booked',
        },
        { name: 'email', required: false, type: 'string' },
      ],
      transfer_phone_number: '+14155550120',
      voice: { id: '21m00Tcm4TlvDq8ikWAM', provider: 'elevenlabs', speed: 1.1 },
      webhook_url: 'https://hooks.halcyon.example/revox/solar',
      faq_items: [
        {
          id: 'faq_sol_1',
          question: 'How long does installation take?',
          answer: 'One to two days on the roof, six weeks with permits.',
          needs_human_answer: false,
          source: 'human',
        },
        {
          id: 'faq_sol_2',
          question: 'Does it work in winter?',
          answer: 'Yes, at around 40 % of the summer yield.',
          needs_human_answer: false,
          source: 'ai',
        },
        {
          id: 'faq_sol_3',
          question: 'Do you buy back old panels?',
          answer: '',
          needs_human_answer: true,
          source: 'ai',
        },
      ],
      pending_faq_count: 3,
    },
    dialogues: [
      {
        endedBy: 'agent',
        endReason: 'tool_end_call',
        extracted: {
          owns_home: true,
          roof: 'asphalt',
          monthly_bill_usd: '{amount}',
          survey_at: '{datetime}',
          email: '{email}',
        },
        lines: [
          [
            'agent',
            'Hi {first}, this is Olivia from Brightroof Solar. You asked us for a quote, is now a good time?',
          ],
          ['callee', 'Sure, I have a few minutes.'],
          ['agent', 'Great. Do you own the home where you would like the panels?'],
          ['callee', 'Yes, we bought it three years ago here in {city}.'],
          ['agent', 'Lovely. And do you know what the roof is made of?'],
          ['callee', 'Asphalt shingles, I think. Redone just before we moved in.'],
          ['agent', 'Perfect for panels. Roughly how much is your power bill each month?'],
          ['callee', 'About {amount} dollars, more in the summer with the AC.'],
          ['tool', 'calendly_list_slots', '["{datetime}"]', { days: 10, kind: 'home_survey' }],
          ['agent', 'Then a free survey makes sense. I have {day} at {time}, would that suit you?'],
          ['callee', '{day} works.'],
          [
            'tool',
            'calendly_book',
            '{"booked":true,"invitee":"{email}"}',
            { start: '{datetime}', email: '{email}', name: '{first} {last}' },
          ],
          [
            'agent',
            'You are booked. Look out for a confirmation at {email}. Thanks for your time, and enjoy the sunshine!',
          ],
          ['callee', 'Thank you, bye!'],
          ['tool', 'end_call', 'Call ended', null],
        ],
      },
      {
        endedBy: 'user',
        endReason: null,
        extracted: { owns_home: false },
        lines: [
          [
            'agent',
            'Hi {first}, this is Olivia from Brightroof Solar. You asked us for a quote, is now a good time?',
          ],
          ['callee', 'Oh, yes. But I should say that we are renting.'],
          [
            'agent',
            'Thanks for telling me. We can only install for owners, but I can send your landlord a leaflet.',
          ],
          [
            'tool',
            'send_leaflet',
            'HTTP 500 from mailer',
            '{"template":"landlord","lead":"{ref}"}',
            'failed',
          ],
          ['callee', 'No need. Have a nice day.'],
        ],
      },
    ],
  },
  renovation: {
    key: 'renovation',
    market: 'fr',
    amounts: [2400, 28000],
    columns: {
      prenom: '{first}',
      nom: '{last}',
      ville: '{city}',
      montant_devis: '{amount}',
      devis: '{ref}',
    },
    retry: {
      calling_windows: [
        {
          calling_window_start_time: '18:00',
          calling_window_end_time: '20:00',
          retry_delay_seconds: 172800,
        },
      ],
      max_retry_attempts: 4,
      timezone: 'Europe/Paris',
    },
    settings: {
      name: 'Nadia – Relance de devis rénovation',
      prompt:
        'Tu es Nadia, de l’entreprise Maisons d’Aubépine. Tu relances le devis {{devis}} de {{montant_devis}} euros envoyé à {{prenom}} {{nom}}.\n' +
        'Demande si le devis est bien arrivé, ce qui freine la décision (prix, délai, aides, autre artisan) et propose que le chef de chantier rappelle.',
      first_sentence: null,
      first_sentence_mode: 'generated',
      first_sentence_delay_ms: 400,
      end_of_call_sentence: 'Merci, bonne soirée à vous.',
      voicemail_message:
        'Bonsoir, Nadia des Maisons d’Aubépine, au sujet de votre devis. Je vous rappelle en fin de semaine.',
      background_sound: 'audio/office.ogg',
      calendly: null,
      ivr_navigation_enabled: false,
      llm_model: {
        type: 'openrouter',
        openrouter_model_id: 'meta-llama/llama-3.3-70b-instruct',
        openrouter_provider: 'nebius',
      },
      max_call_duration_secs: 480,
      structured_output_config: [
        {
          name: 'decision',
          required: true,
          type: 'enum',
          enum_options: ['accepté', 'en_réflexion', 'refusé'],
        },
        { name: 'frein', required: false, type: 'string' },
        { name: 'rappel_le', required: false, type: 'date' },
      ],
      transfer_phone_number: '+33639980005',
      voice: { id: 'b9de4a89-2257-424b-94c2-db18ba68c81a', provider: 'cartesia', speed: 1.2 },
      webhook_url: 'https://hooks.halcyon.example/revox/devis',
      faq_items: [
        {
          id: 'faq_ren_1',
          question: 'Faites-vous les dossiers d’aides ?',
          answer: 'Oui, le dossier est compris dans le devis.',
          needs_human_answer: false,
          source: 'human',
        },
      ],
      pending_faq_count: 1,
    },
    dialogues: [
      {
        endedBy: 'agent',
        endReason: 'tool_end_call',
        extracted: {
          decision: 'en_réflexion',
          frein: 'Attend la réponse de la banque.',
          rappel_le: '{date}',
        },
        lines: [
          [
            'agent',
            'Bonsoir {first}, Nadia des Maisons d’Aubépine. Avez-vous bien reçu notre devis de {amount} euros ?',
          ],
          ['callee', 'Oui, il est arrivé. On attend la réponse de la banque pour le prêt.'],
          ['agent', 'Très bien. Y a-t-il autre chose qui vous fait hésiter ?'],
          ['callee', 'Les délais, peut-être. On aimerait que ce soit fini avant l’hiver.'],
          [
            'agent',
            'Je fais noter cela. Est-ce que le chef de chantier peut vous rappeler {day} ?',
          ],
          ['callee', 'Oui, vers {time}.'],
          ['tool', 'create_callback', '{"ok":true}', { devis: '{ref}', le: '{datetime}' }],
          ['agent', 'C’est noté. Merci, bonne soirée à vous.'],
        ],
      },
      {
        endedBy: 'user',
        endReason: null,
        extracted: { decision: 'refusé', frein: 'A choisi un autre artisan.' },
        lines: [
          ['agent', 'Bonsoir {first}, Nadia des Maisons d’Aubépine, au sujet de votre devis.'],
          ['callee', 'On a finalement pris un artisan du coin, désolé.'],
          ['agent', 'Merci de me le dire. Bonne continuation pour vos travaux à {city}.'],
          ['callee', 'Merci, bonsoir.'],
        ],
      },
    ],
  },
};
