import type { CatalogueEntry } from './catalogue.ts';

export const RECEIVABLES: Readonly<Record<'debt' | 'invoice', CatalogueEntry>> = {
  debt: {
    key: 'debt',
    market: 'fr',
    amounts: [48, 940],
    columns: {
      prenom: '{first}',
      nom: '{last}',
      ville: '{city}',
      montant_du: '{amount}',
      reference: '{ref}',
    },
    retry: {
      calling_windows: [
        {
          calling_window_start_time: '09:30',
          calling_window_end_time: '12:00',
          retry_delay_seconds: 7200,
        },
        {
          calling_window_start_time: '14:00',
          calling_window_end_time: '19:00',
          retry_delay_seconds: 14400,
        },
      ],
      max_retry_attempts: 6,
      timezone: 'Europe/Paris',
    },
    settings: {
      name: 'Camille – Rappel d’échéance',
      prompt:
        'Tu es Camille, conseillère du service clients de Lumen Crédit. Tu appelles {{prenom}} {{nom}} au sujet d’une échéance impayée de {{montant_du}} euros (dossier {{reference}}).\n' +
        'Vérifie d’abord que tu parles à la bonne personne, sans rien révéler du dossier avant. Reste calme et bienveillante : jamais de menace. Cherche une date de règlement, ou propose un échelonnement en trois fois.',
      first_sentence:
        'Bonjour, Camille de Lumen Crédit. Est-ce que je parle bien à {{prenom}} {{nom}} ?',
      first_sentence_mode: 'static',
      first_sentence_delay_ms: 400,
      end_of_call_sentence: 'Merci pour votre temps, et bonne journée.',
      voicemail_message:
        'Bonjour, Camille de Lumen Crédit. Merci de nous rappeler au sujet de votre dossier {{reference}}, du lundi au vendredi.',
      background_sound: 'audio/office.ogg',
      calendly: null,
      ivr_navigation_enabled: false,
      llm_model: { type: 'dedicated-instance', name: 'gpt-4.1' },
      max_call_duration_secs: 420,
      structured_output_config: [
        {
          name: 'engagement',
          required: true,
          type: 'enum',
          description: 'Ce à quoi la personne s’engage',
          enum_options: ['règlement_total', 'échelonnement', 'contestation', 'refus'],
        },
        {
          name: 'date_de_reglement',
          required: false,
          type: 'date',
          description: 'Date promise du (premier) règlement',
        },
        { name: 'montant_promis', required: false, type: 'number' },
        { name: 'bonne_personne', required: true, type: 'boolean' },
      ],
      transfer_phone_number: '+33639980001',
      voice: { id: 'a8a1eb38-5f15-4c1d-8722-7ac0f329727d', provider: 'cartesia', speed: 0.95 },
      webhook_url: 'https://hooks.halcyon.example/revox/recouvrement',
      faq_items: [
        {
          id: 'faq_debt_1',
          question: 'Puis-je payer en plusieurs fois ?',
          answer: 'Oui, en trois mensualités sans frais.',
          needs_human_answer: false,
          source: 'human',
        },
        {
          id: 'faq_debt_2',
          question: 'Pourquoi des frais de retard ?',
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
          engagement: 'règlement_total',
          date_de_reglement: '{date}',
          montant_promis: '{amount}',
          bonne_personne: true,
        },
        lines: [
          [
            'agent',
            'Bonjour, Camille de Lumen Crédit. Est-ce que je parle bien à {first} {last} ?',
          ],
          ['callee', 'Oui, c’est moi.'],
          [
            'agent',
            'Je vous appelle au sujet de l’échéance de {amount} euros du dossier {ref}, que nous n’avons pas reçue.',
          ],
          ['callee', 'Ah oui, j’ai changé de banque, le prélèvement a dû être rejeté.'],
          [
            'agent',
            'Cela arrive souvent. Souhaitez-vous régler par carte, avec un lien que je vous envoie par SMS ?',
          ],
          ['callee', 'Oui, mais je suis payé en fin de semaine. {day}, ça irait ?'],
          [
            'tool',
            'record_promise',
            '{"recorded":true}',
            { dossier: '{ref}', date: '{date}', montant: '{amount}' },
          ],
          ['agent', 'C’est noté pour {day}. Vous recevrez le lien par SMS dans un instant.'],
          ['tool', 'send_sms', 'SMS accepté', 'template=lien_paiement&dossier={ref}'],
          ['callee', 'Parfait, merci. Au revoir.'],
          ['agent', 'Merci pour votre temps, et bonne journée.'],
          ['tool', 'end_call', 'Call ended', null],
        ],
      },
      {
        endedBy: 'agent',
        endReason: 'transfer',
        extracted: { engagement: 'contestation', bonne_personne: true },
        lines: [
          [
            'agent',
            'Bonjour, Camille de Lumen Crédit. Est-ce que je parle bien à {first} {last} ?',
          ],
          ['callee', 'Oui, et j’ai déjà payé ! C’est la troisième fois qu’on m’appelle.'],
          ['agent', 'Je suis désolée. Je vérifie tout de suite avec votre numéro de dossier.'],
          ['tool', 'lookup_account', 'timeout after 5000 ms', { dossier: '{ref}' }, 'failed'],
          [
            'agent',
            'Je n’arrive pas à ouvrir le dossier. Je vous passe un collègue qui pourra le vérifier avec vous.',
          ],
          ['tool', 'transfer_call', 'Transferring', { to: '+33639980001' }],
        ],
      },
      {
        endedBy: 'user',
        endReason: null,
        extracted: { engagement: 'refus', bonne_personne: false },
        lines: [
          [
            'agent',
            'Bonjour, Camille de Lumen Crédit. Est-ce que je parle bien à {first} {last} ?',
          ],
          ['callee', 'Non, vous faites erreur. C’est un téléphone professionnel.'],
          ['agent', 'Toutes mes excuses, je retire ce numéro de notre fichier.'],
          ['callee', 'Merci.'],
        ],
      },
    ],
  },
  invoice: {
    key: 'invoice',
    market: 'fr',
    amounts: [120, 4800],
    columns: {
      societe: '{company}',
      contact: '{first} {last}',
      montant: '{amount}',
      facture: '{ref}',
    },
    retry: {
      calling_windows: [
        {
          calling_window_start_time: '9am',
          calling_window_end_time: '6pm',
          retry_delay_seconds: 10800,
        },
      ],
      max_retry_attempts: 6,
    },
    settings: {
      name: 'Paul – Relance facture',
      prompt:
        'Tu es Paul, de la comptabilité du groupe Tilleuls. Tu appelles la société {{societe}} pour la facture {{facture}} de {{montant}} euros, échue. Demande le service comptable, puis une date de virement.',
      first_sentence:
        'Bonjour, Paul, de la comptabilité du groupe Tilleuls. Pourrais-je parler à la comptabilité ?',
      first_sentence_mode: 'static',
      first_sentence_delay_ms: 300,
      end_of_call_sentence: null,
      voicemail_message:
        'Bonjour, Paul du groupe Tilleuls au sujet de la facture {{facture}}. Merci de nous rappeler.',
      background_sound: null,
      calendly: null,
      ivr_navigation_enabled: true,
      llm_model: { type: 'dedicated-instance', name: 'ministral-3-8b-instruct' },
      max_call_duration_secs: 300,
      structured_output_config: [
        { name: 'date_virement', required: true, type: 'date' },
        { name: 'interlocuteur', required: false, type: 'string' },
      ],
      transfer_phone_number: null,
      voice: { id: 'ab7c61f5-3daa-47dd-a23b-4ac0aac5f5c3', provider: 'cartesia' },
      webhook_url: null,
    },
    dialogues: [
      {
        endedBy: 'agent',
        endReason: 'tool_end_call',
        extracted: { date_virement: '{date}', interlocuteur: '{first} {last}' },
        lines: [
          [
            'agent',
            'Bonjour, Paul, de la comptabilité du groupe Tilleuls. Pourrais-je parler à la comptabilité ?',
          ],
          ['callee', 'C’est moi, {first} {last}.'],
          [
            'agent',
            'La facture {ref} de {amount} euros est échue. Avez-vous une date de virement ?',
          ],
          ['callee', 'Elle part avec le lot de {day}.'],
          ['agent', 'Très bien, je le note. Merci et bonne journée.'],
        ],
      },
    ],
  },
};
