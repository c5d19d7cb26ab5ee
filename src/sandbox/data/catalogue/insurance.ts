import type { CatalogueEntry } from './catalogue.ts';

export const INSURANCE: CatalogueEntry = {
  key: 'insurance',
  market: 'fr',
  amounts: [280, 890],
  columns: {
    prenom: '{first}',
    nom: '{last}',
    prime_annuelle: '{amount}',
    contrat: '{ref}',
    echeance: '{date}',
  },
  retry: {
    calling_windows: [
      {
        calling_window_start_time: '10:00',
        calling_window_end_time: '18:00',
        retry_delay_seconds: 86400,
      },
    ],
    max_retry_attempts: 4,
    timezone: null,
  },
  settings: {
    name: 'Julien – Renouvellement auto',
    prompt:
      'Tu es Julien, conseiller chez Arcadie Assurances. Le contrat auto {{contrat}} de {{prenom}} arrive à échéance le {{echeance}}.\n' +
      'Demande si la situation a changé (kilométrage, stationnement, conducteurs), présente la nouvelle prime de {{prime_annuelle}} euros et propose de passer la main à une conseillère pour tout changement de garantie.',
    first_sentence: null,
    first_sentence_mode: 'generated',
    first_sentence_delay_ms: 650,
    end_of_call_sentence: 'Arcadie vous remercie. Bonne route !',
    voicemail_message: null,
    background_sound: 'audio/office.ogg',
    calendly: null,
    ivr_navigation_enabled: false,
    llm_model: {
      type: 'openrouter',
      openrouter_model_id: 'mistralai/mistral-medium-3',
      openrouter_provider: 'mistral',
    },
    max_call_duration_secs: 600,
    structured_output_config: [
      { name: 'renouvelle', required: true, type: 'boolean' },
      {
        name: 'kilometrage_annuel',
        required: false,
        type: 'number',
        description: 'En kilomètres',
      },
      { name: 'remarque', required: false, type: 'string' },
    ],
    transfer_phone_number: '+33639980002',
    voice: { id: 'pNInz6obpgDQGcFmaJgB', provider: 'elevenlabs', speed: 1.05 },
    webhook_url: 'https://hooks.halcyon.example/revox/assurance',
    faq_items: [
      {
        id: 'faq_ins_1',
        question: 'Mon bonus est-il conservé ?',
        answer: 'Oui, il est reporté tel quel au renouvellement.',
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
      extracted: {
        renouvelle: true,
        kilometrage_annuel: 12000,
        remarque: 'Stationne désormais dans un garage fermé.',
      },
      lines: [
        [
          'agent',
          'Bonjour {first}, Julien d’Arcadie Assurances. Votre contrat auto arrive à échéance ; avez-vous deux minutes ?',
        ],
        ['callee', 'Deux minutes, oui, je suis en pause.'],
        ['agent', 'Roulez-vous toujours autour de douze mille kilomètres par an ?'],
        ['callee', 'Oui, à peu près. Par contre j’ai un garage fermé maintenant.'],
        [
          'tool',
          'quote_premium',
          '{"premium":{amount},"currency":"EUR"}',
          { contrat: '{ref}', garage: true, kilometrage: 12000 },
        ],
        [
          'agent',
          'Bonne nouvelle : avec le garage, la prime reste à {amount} euros pour l’année. Je renouvelle ?',
        ],
        ['callee', 'Oui, allez-y.'],
        ['tool', 'renew_policy', 'ok', '{"contrat":"{ref}"}'],
        [
          'agent',
          'C’est fait, vous recevrez l’attestation par courriel. Arcadie vous remercie. Bonne route !',
        ],
      ],
    },
    {
      endedBy: 'user',
      endReason: null,
      extracted: {
        renouvelle: false,
        remarque: 'A trouvé moins cher ailleurs, demande une contre-proposition.',
      },
      lines: [
        ['agent', 'Bonjour {first}, Julien d’Arcadie Assurances, au sujet de votre contrat auto.'],
        ['callee', 'Justement, j’ai trouvé cent euros de moins ailleurs.'],
        [
          'agent',
          'Je comprends. Une conseillère peut vous faire une contre-proposition d’ici {day}.',
        ],
        ['callee', 'D’accord, qu’elle m’écrive. Au revoir.'],
      ],
    },
  ],
};
