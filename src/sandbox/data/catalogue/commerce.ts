import type { CatalogueEntry } from './catalogue.ts';

export const COMMERCE: Readonly<Record<'hotel' | 'delivery', CatalogueEntry>> = {
  hotel: {
    key: 'hotel',
    market: 'uk',
    amounts: [1, 7],
    columns: { first_name: '{first}', last_name: '{last}', nights: '{amount}', booking: '{ref}' },
    retry: {
      calling_windows: [
        {
          calling_window_start_time: '11:00',
          calling_window_end_time: '17:00',
          retry_delay_seconds: 43200,
        },
      ],
      max_retry_attempts: 3,
      timezone: 'Europe/London',
    },
    settings: {
      name: 'Maya – Post-stay survey',
      prompt:
        'You are Maya from the Harbour Hotel group. Ask {{first_name}} about the stay under booking {{booking}}: a score out of ten, whether they would come back, and one thing to improve. Keep it under two minutes.',
      first_sentence:
        'Hello {{first_name}}, it is Maya from the Harbour Hotel. Could I ask three quick questions about your stay?',
      first_sentence_mode: 'static',
      first_sentence_delay_ms: 450,
      end_of_call_sentence: 'Thank you, we hope to welcome you again.',
      voicemail_message: null,
      background_sound: null,
      calendly: null,
      ivr_navigation_enabled: false,
      llm_model: { type: 'dedicated-instance', name: 'gpt-4.1' },
      max_call_duration_secs: 150,
      structured_output_config: [
        { name: 'score', required: true, type: 'number', description: '0 to 10' },
        { name: 'would_return', required: true, type: 'boolean' },
        { name: 'improvement', required: false, type: 'string' },
      ],
      transfer_phone_number: null,
      voice: { id: '79a125e8-cd45-4c13-8a67-188112f4dd22', provider: 'cartesia', speed: 1.05 },
      webhook_url: 'https://hooks.halcyon.example/revox/survey',
    },
    dialogues: [
      {
        endedBy: 'agent',
        endReason: 'tool_end_call',
        extracted: {
          score: '{score}',
          would_return: true,
          improvement: 'A later breakfast at weekends.',
        },
        lines: [
          [
            'agent',
            'Hello {first}, it is Maya from the Harbour Hotel. Could I ask three quick questions about your stay?',
          ],
          ['callee', 'Go on then.'],
          ['agent', 'Out of ten, how was it?'],
          ['callee', 'I would say {score}.'],
          ['agent', 'Would you stay with us again?'],
          ['callee', 'Definitely. The view over the harbour was worth it alone.'],
          ['agent', 'And one thing we could do better?'],
          ['callee', 'Breakfast could go on a bit later at weekends.'],
          ['tool', 'save_survey', 'saved', { booking: '{ref}', score: '{score}' }],
          ['agent', 'Thank you, we hope to welcome you again.'],
        ],
      },
      {
        endedBy: 'user',
        endReason: null,
        extracted: {
          score: 4,
          would_return: false,
          improvement: 'Noise from the street, {amount} nights in a row.',
        },
        lines: [
          [
            'agent',
            'Hello {first}, it is Maya from the Harbour Hotel. Could I ask three quick questions about your stay?',
          ],
          [
            'callee',
            'To be honest, I did not sleep for {amount} nights. The street was terribly loud.',
          ],
          ['agent', 'I am very sorry. Out of ten, what would you give us?'],
          ['callee', 'Four. And no, I would not come back.'],
          ['agent', 'Thank you for being frank. I will pass it on to the manager today.'],
        ],
      },
    ],
  },
  delivery: {
    key: 'delivery',
    market: 'fr',
    amounts: [1, 5],
    columns: { prenom: '{first}', nom: '{last}', commande: '{ref}', ville: '{city}' },
    retry: {
      calling_windows: [
        {
          calling_window_start_time: '12:00',
          calling_window_end_time: '14:00',
          retry_delay_seconds: 28800,
        },
      ],
      max_retry_attempts: 3,
    },
    settings: {
      name: 'Léa – Satisfaction livraison',
      prompt:
        'Tu es Léa, de Colibri Livraison. La commande {{commande}} vient d’être livrée à {{prenom}}. Demande une note sur dix, si le colis était intact, et remercie. Une minute, pas plus.',
      first_sentence:
        'Bonjour {{prenom}}, Léa de Colibri Livraison, une petite minute pour votre commande ?',
      first_sentence_mode: 'static',
      first_sentence_delay_ms: 400,
      end_of_call_sentence: 'Merci, belle journée !',
      voicemail_message: null,
      background_sound: null,
      calendly: null,
      ivr_navigation_enabled: false,
      llm_model: { type: 'dedicated-instance', name: 'ministral-3-8b-instruct' },
      max_call_duration_secs: 90.5,
      structured_output_config: [
        { name: 'note', required: true, type: 'number' },
        { name: 'colis_intact', required: true, type: 'boolean' },
      ],
      transfer_phone_number: null,
      voice: { id: 'XB0fDUnXU5powFXDhCwa', provider: 'elevenlabs' },
      webhook_url: null,
      faq_items: [],
      pending_faq_count: 0,
    },
    dialogues: [
      {
        endedBy: 'agent',
        endReason: 'tool_end_call',
        extracted: { note: '{score}', colis_intact: true },
        lines: [
          [
            'agent',
            'Bonjour {first}, Léa de Colibri Livraison, une petite minute pour votre commande ?',
          ],
          ['callee', 'Oui, vite alors.'],
          ['agent', 'Le colis est-il arrivé intact ?'],
          ['callee', 'Impeccable, et le livreur était très gentil.'],
          ['agent', 'Quelle note sur dix nous donneriez-vous ?'],
          ['callee', '{score}.'],
          ['agent', 'Merci, belle journée !'],
        ],
      },
      {
        endedBy: 'system',
        endReason: 'max_duration',
        extracted: { note: 3, colis_intact: false },
        lines: [
          [
            'agent',
            'Bonjour {first}, Léa de Colibri Livraison, une petite minute pour votre commande ?',
          ],
          [
            'callee',
            'Ah ! Enfin quelqu’un. Alors votre livreur a laissé le carton sous la pluie, à {city}, devant chez le voisin…',
          ],
          ['agent', 'Je suis désolée. Le contenu est-il abîmé ?'],
          [
            'callee',
            'Tout est trempé ! Et la dernière fois, déjà, c’était pareil. Je vous explique…',
          ],
          [
            'tool',
            'open_claim',
            '{"claim":"{ref}"}',
            { commande: '{ref}', motif: 'colis mouillé' },
          ],
          ['callee', '… et ma voisine, elle, elle a attendu trois semaines…'],
        ],
      },
    ],
  },
};
