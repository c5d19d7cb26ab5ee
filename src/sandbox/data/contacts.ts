import type { Random } from './random.ts';

export type Language = 'en' | 'fr';
export type Market = 'fr' | 'uk' | 'us';

/**
 * The contact, and the facts that a conversation may mention: the `{placeholders}` of the
 * catalogue.
 */
export interface ContactFacts {
  readonly first: string;
  readonly last: string;
  readonly email: string;
  readonly company: string;
  readonly city: string;
  /** An amount of money or a count, depending on the catalogue entry. */
  readonly amount: number;
  readonly score: number;
  readonly ref: string;
  /** A day in the days after the call: `2024-06-07`. */
  readonly date: string;
  readonly datetime: string;
  /** The same day and hour in spoken form, in the assistant's language. */
  readonly day: string;
  readonly time: string;
}

interface Country {
  readonly language: Language;
  readonly firstNames: readonly string[];
  readonly lastNames: readonly string[];
  readonly cities: readonly string[];
  readonly companies: readonly string[];
  /** The organizations' own number in this country. */
  readonly callerNumber: string;
  /** Hours of the day, UTC, between which contacts in this country are called. */
  readonly openUtc: number;
  readonly closeUtc: number;
  phone(random: Random): string;
}

const ENGLISH_COMPANIES = [
  'Brightwater Supply',
  'Fernhill Logistics',
  'Copperline Studio',
  'Hartley & Sons',
  'Northgate Dental',
  'Pinecrest Foods',
  'Summit Freight',
  'Willow & Oak',
];

/** Phone numbers come only from the ranges that each country reserves for fiction. */
export const COUNTRIES: Readonly<Record<Market, Country>> = {
  fr: {
    language: 'fr',
    firstNames: [
      'Amélie',
      'Baptiste',
      'Chloé',
      'Damien',
      'Élodie',
      'Fabrice',
      'Gaëlle',
      'Inès',
      'Jérôme',
      'Karim',
      'Laurence',
      'Mathilde',
      'Nicolas',
      'Océane',
      'Pascal',
      'Samira',
      'Thibault',
      'Yasmine',
    ],
    lastNames: [
      'Bernard',
      'Chevalier',
      'Delacroix',
      'Fontaine',
      'Garnier',
      'Haddad',
      'Lefèvre',
      'Marchand',
      'Nguyen',
      'Perrin',
      'Renaud',
      'Simonet',
      'Traoré',
      'Vasseur',
    ],
    cities: [
      'Bordeaux',
      'Grenoble',
      'Lille',
      'Lyon',
      'Marseille',
      'Nantes',
      'Rennes',
      'Strasbourg',
      'Toulouse',
      'Tours',
    ],
    companies: [
      'Atelier Vauban',
      'Boulangerie Ferrand',
      'Cabinet Morel',
      'Garage des Lices',
      'Menuiserie Aubry',
      'Pharmacie du Port',
      'Transports Kerouan',
    ],
    callerNumber: '+33639980100',
    openUtc: 8,
    closeUtc: 17,
    phone: (random) => `+3363998${digits(random, 4)}`,
  },
  uk: {
    language: 'en',
    firstNames: [
      'Alistair',
      'Bethan',
      'Callum',
      'Eleanor',
      'Farah',
      'George',
      'Imogen',
      'Kieran',
      'Niamh',
      'Oliver',
      'Rhys',
      'Sunita',
    ],
    lastNames: [
      'Ahmed',
      'Bennett',
      'Campbell',
      'Davies',
      'Fletcher',
      'Hughes',
      'MacLeod',
      'Okafor',
      'Shah',
      'Whitfield',
    ],
    cities: [
      'Bristol',
      'Cardiff',
      'Edinburgh',
      'Leeds',
      'London',
      'Manchester',
      'Norwich',
      'Sheffield',
    ],
    companies: ENGLISH_COMPANIES,
    callerNumber: '+447700900100',
    openUtc: 9,
    closeUtc: 18,
    phone: (random) => `+447700900${digits(random, 3)}`,
  },
  us: {
    language: 'en',
    firstNames: [
      'Aaron',
      'Brianna',
      'Carlos',
      'Dana',
      'Emily',
      'Frank',
      'Grace',
      'Hannah',
      'Isaac',
      'Jasmine',
      'Kevin',
      'Latoya',
      'Marcus',
      'Nina',
      'Omar',
      'Rachel',
      'Steven',
      'Tiffany',
    ],
    lastNames: [
      'Alvarez',
      'Brooks',
      'Carter',
      'Dawson',
      'Ellis',
      'Foster',
      'Griffin',
      'Hayes',
      'Jenkins',
      'Kim',
      'Lopez',
      'Mitchell',
      'Nguyen',
      'Patel',
      'Reyes',
      'Sullivan',
    ],
    cities: [
      'Austin',
      'Boston',
      'Chicago',
      'Denver',
      'Nashville',
      'Phoenix',
      'Portland',
      'Raleigh',
      'San Diego',
      'Seattle',
    ],
    companies: ENGLISH_COMPANIES,
    callerNumber: '+12125550100',
    openUtc: 14,
    closeUtc: 22,
    phone: (random) =>
      `+1${random.pick(['206', '212', '303', '312', '415', '512', '602', '617', '702', '919'])}55501${digits(random, 2)}`,
  },
};

const DAY_MS = 86_400_000;
const DAYS: Readonly<Record<Language, readonly string[]>> = {
  en: ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'],
  fr: ['dimanche', 'lundi', 'mardi', 'mercredi', 'jeudi', 'vendredi', 'samedi'],
};

/** A contact of this market, and the days and amounts that a call at this moment could mention. */
export function generateContactFacts(
  random: Random,
  market: Market,
  at: number,
  amounts: readonly [low: number, high: number],
): ContactFacts {
  const country = COUNTRIES[market];
  const first = random.pick(country.firstNames);
  const last = random.pick(country.lastNames);
  const hour = random.between(9, 17);
  const half = random.chance(0.5);
  // The random draws above and below must not depend on `at`: only the dates of the data may
  // differ.
  let day = at + random.between(2, 12) * DAY_MS;
  while ([0, 6].includes(new Date(day).getUTCDay())) day += DAY_MS;
  const date = new Date(day).toISOString().slice(0, 10);
  const hourOnClock = `${String(hour).padStart(2, '0')}:${half ? '30' : '00'}`;
  return {
    first,
    last,
    email: `${toEmailPart(first)}.${toEmailPart(last)}@mail.example`,
    company: random.pick(country.companies),
    city: random.pick(country.cities),
    amount: random.between(amounts[0], amounts[1]),
    score: random.pick([6, 7, 8, 8, 9, 9, 10]),
    ref: `${random.pick(['A', 'C', 'F', 'K'])}-${random.between(10_000, 99_999)}`,
    date,
    datetime: `${date}T${hourOnClock}:00.000Z`,
    day: DAYS[country.language][new Date(day).getUTCDay()] ?? '',
    time:
      country.language === 'fr'
        ? `${hour} h${half ? ' 30' : ''}`
        : `${hour > 12 ? hour - 12 : hour}${half ? ':30' : ''} ${hour < 12 ? 'a.m.' : 'p.m.'}`,
  };
}

/**
 * The latest moment at or before `at` when contacts of this market are called: in opening hours,
 * never on a Sunday.
 */
export function snapToOpeningHours(at: number, market: Market, minuteOfDay: number): number {
  const { openUtc, closeUtc } = COUNTRIES[market];
  const dayStart = Math.floor(at / DAY_MS) * DAY_MS;
  const hours = (at - dayStart) / 3_600_000;
  let day = hours < openUtc ? dayStart - DAY_MS : dayStart;
  let moved = hours < openUtc || hours > closeUtc;
  if (new Date(day).getUTCDay() === 0) {
    day -= DAY_MS;
    moved = true;
  }
  return moved ? day + (openUtc + minuteOfDay * (closeUtc - openUtc)) * 3_600_000 : at;
}

function digits(random: Random, count: number): string {
  return String(random.between(0, 10 ** count - 1)).padStart(count, '0');
}

function toEmailPart(name: string): string {
  return name
    .normalize('NFD')
    .replace(/[^A-Za-z]/g, '')
    .toLowerCase();
}
